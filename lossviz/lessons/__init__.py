"""The lessons: five chapters of questions about batches that are on the screen; no Streamlit here.

A step is data: a screen, questions whose answers are functions of its `Analysis`, wrong answers with their hints, code
in TensorFlow and PyTorch, and the words that it introduces. `CHAPTERS` lists them; a contract test walks it.

>>> step = step_named("2.3")
>>> analysis = analysis_of(step.screen)
>>> check(step.asks[0], analysis, "0.7").right, check(step.asks[0], analysis, "7/6").hint
(True, 'That divides by the 6 that count. reduce_mean sees ten numbers and divides by 10.')
"""

from lossviz.lessons._asks import (
    Ask,
    Choice,
    Fill,
    Number,
    Pick,
    Shape,
    Wrong,
    choice_text,
    label_of,
    read_choice,
    said,
)
from lossviz.lessons._batches import BATCHES, analysis_of, batch_named, is_sample
from lossviz.lessons._check import Verdict, answer_text, check, options, working
from lossviz.lessons._progress import OPEN, RIGHT, SHOWN, SIZE, Done, Progress, read_progress
from lossviz.lessons._step import AFTER, BEFORE, PAGES, Chapter, Door, Program, Screen, Step
from lossviz.lessons._typed import LONGEST, read_number, read_shape
from lossviz.lessons._words import WORDS, Word, words_in
from lossviz.lessons.blanks import FUNCTIONS, Function, Outcome, run
from lossviz.lessons.chapters import bugs, flags, logits, losses, padding

__all__ = [
    "AFTER",
    "BATCHES",
    "BEFORE",
    "CHAPTERS",
    "FUNCTIONS",
    "LONGEST",
    "OPEN",
    "PAGES",
    "RIGHT",
    "SHOWN",
    "SIZE",
    "STEPS",
    "WORDS",
    "Ask",
    "Chapter",
    "Choice",
    "Done",
    "Door",
    "Fill",
    "Function",
    "Number",
    "Outcome",
    "Pick",
    "Program",
    "Progress",
    "Screen",
    "Shape",
    "Step",
    "Verdict",
    "Word",
    "Wrong",
    "analysis_of",
    "answer_text",
    "batch_named",
    "check",
    "choice_text",
    "is_sample",
    "label_of",
    "options",
    "read_choice",
    "read_number",
    "read_progress",
    "read_shape",
    "run",
    "said",
    "step_named",
    "words_in",
    "working",
]

CHAPTERS: tuple[Chapter, ...] = (logits.CHAPTER, padding.CHAPTER, losses.CHAPTER, flags.CHAPTER, bugs.CHAPTER)
"""The chapters, in order."""
STEPS: dict[str, Step] = {step.id: step for chapter in CHAPTERS for step in chapter.steps}
"""Every step by its id, in order."""


def step_named(name: str) -> Step:
    """A step by its id.

    >>> step_named("1.4").title
    'One timestep, worked out'
    """
    return STEPS[name]
