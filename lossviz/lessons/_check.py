"""An answer → right, or a hint that names the formula which gives it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.errors import LossvizError
from lossviz.identification import identify
from lossviz.lessons._asks import Ask, Cell, Choice, Fill, Number, Pick, Shape, read_choice, shown
from lossviz.lessons._facts import n
from lossviz.lessons._typed import Typed, read_number, read_shape
from lossviz.lessons.blanks import run

__all__ = ["Verdict", "answer_text", "check", "options", "working"]

LN2 = float(np.log(2))
FACTORS = (
    (-1.0, "That is the right number with the wrong sign: a loss is −ln p, and never negative."),
    (2.0, "That is twice the right number."),
    (0.5, "That is half of the right number."),
    (1 / LN2, "That is the right number in bits. This page counts in nats, so multiply by ln 2."),
    (LN2, "That is the right number times ln 2: it was in nats already."),
)
NO_NUMBER = "This is no number. Write 1.2545, 1,2545 or 13.8/11."
NO_SHAPE = "This is no shape. Write (3, 4)."
NOTHING = "Answer first; Show me works it out."
ALL_BLANKS = "Pick a line for every blank."
MORE_DIGITS = "Too few digits to tell: several formulas give about that. Write at least three."


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth.

    Attributes:
        right: whether it is right.
        hint: why not; never empty for a wrong one.
        quoted: the answer, as it was given.
        counts: whether it is an answer at all, so that a miss is counted.
    """

    right: bool
    hint: str
    quoted: str
    counts: bool = True


def check(ask: Ask, analysis: Analysis, given: Any) -> Verdict:
    """Compare an answer with the right one, then with every wrong one that is known.

    Args:
        ask: the question.
        analysis: of the step's screen.
        given: the text that was typed, the option that was chosen, or the cell that was selected.
    """
    if isinstance(ask, Pick):
        return _cell(ask, analysis, given)
    text = given.strip() if isinstance(given, str) else ""
    if isinstance(ask, Fill):
        return _fill(ask, analysis, text)
    if not text:
        return Verdict(False, NOTHING, "", counts=False)
    if isinstance(ask, Number):
        return _number(ask, analysis, text)
    return _shape(ask, analysis, text) if isinstance(ask, Shape) else _choice(ask, analysis, text)


def answer_text(ask: Ask, analysis: Analysis) -> str:
    """The right answer, as it is written on the page."""
    if isinstance(ask, Fill):
        return n(analysis.value)
    value = ask.answer(analysis)
    if isinstance(ask, Pick):
        return " or ".join(f"[{b}, {t}]" for b, t in np.argwhere(value))
    return shown(ask, value)


def working(ask: Ask, analysis: Analysis, *, whole: bool = True) -> str:
    """The working; only its first line as a hint."""
    lines = ask.working(analysis)
    return " ".join(lines) if whole else lines[0]


def options(ask: Ask, analysis: Analysis) -> tuple[str, ...]:
    """The right answer and the typical wrong ones, sorted so that the place says nothing."""
    if isinstance(ask, Fill):
        choices = [ask.function.right, *(read_choice(ask.function, wrong.value(analysis)) for wrong in ask.wrong)]
        texts = {run(ask.function, choice, analysis.batch).text for choice in choices if choice}
        return tuple(sorted(texts, key=_place))
    right = np.argwhere(ask.answer(analysis))[0] if isinstance(ask, Pick) else ask.answer(analysis)
    texts = {shown(ask, right), *(shown(ask, wrong.value(analysis)) for wrong in ask.wrong)}
    return tuple(sorted(texts, key=_place))


def _place(text: str) -> tuple[float, str]:
    number = read_number(text)
    return (0.0 if number is None or np.isnan(number.value) else number.value), text


def _number(ask: Number, analysis: Analysis, text: str) -> Verdict:
    typed = read_number(text)
    if typed is None:
        return Verdict(False, NO_NUMBER, text, counts=False)
    answers = [ask.answer(analysis), *([ask.also(analysis)] if ask.also else [])]
    if any(typed.is_same(answer) for answer in answers):
        return Verdict(True, "", text)
    for wrong in ask.wrong:
        if typed.is_same(wrong.value(analysis)):
            return Verdict(False, wrong.hint, text)
    if any(typed.is_short_for(answer) for answer in answers):
        return Verdict(False, MORE_DIGITS, text, counts=False)
    return Verdict(False, _identified(ask, analysis, text, typed) or _factor(answers[0], typed) or ask.look, text)


def _identified(ask: Number, analysis: Analysis, text: str, typed: Typed) -> str:
    """Whose number it is, if `identify` knows a formula that gives it and is no accident; else ""."""
    if not ask.is_loss or not np.isfinite(typed.value):
        return ""
    number = text.replace(",", ".") if typed.last_digit else f"{typed.value:.6f}"
    try:
        matches = identify(analysis.batch, number.split("n")[0].strip())
    except LossvizError:
        return ""
    likely = [match for match in matches if not match.accidental and match.clause]
    return f"That comes from a loop that {likely[0].clause}." if likely else ""


def _factor(answer: float, typed: Typed) -> str:
    if not np.isfinite(typed.value):
        return ""
    return next((words for factor, words in FACTORS if answer and typed.is_same(answer * factor)), "")


def _shape(ask: Shape, analysis: Analysis, text: str) -> Verdict:
    shape, word = read_shape(text), text.lower()
    if text.replace(" ", "") == "()":
        shape = ()
    known = {wrong.value(analysis): wrong.hint for wrong in ask.wrong}
    if shape is None and word not in known:
        return Verdict(False, NO_SHAPE, text, counts=False)
    if shape == tuple(ask.answer(analysis)):
        return Verdict(True, "", text)
    return Verdict(False, known.get(word if shape is None else shape, ask.look), text)


def _fill(ask: Fill, analysis: Analysis, text: str) -> Verdict:
    """Run the lines, and say of the first wrong one why it is wrong."""
    choice = read_choice(ask.function, text)
    if choice is None:
        return Verdict(False, ALL_BLANKS, "", counts=False)
    if choice == ask.function.right:
        return Verdict(True, "", text)
    outcome = run(ask.function, choice, analysis.batch)
    says = f"It prints {outcome.text}." if outcome.value is not None else f"TensorFlow refuses it: {outcome.refusal}."
    hints = [blank.lines[at].hint for at, blank in zip(choice, ask.function.blanks, strict=True) if at]
    return Verdict(False, f"{says} {hints[0]}", "")


def _choice(ask: Choice, analysis: Analysis, text: str) -> Verdict:
    if text == ask.answer(analysis):
        return Verdict(True, "", text)
    hint = next((wrong.hint for wrong in ask.wrong if wrong.value(analysis) == text), ask.look)
    return Verdict(False, hint, text)


def _cell(ask: Pick, analysis: Analysis, given: Cell | None) -> Verdict:
    right = ask.answer(analysis)
    if given is None or not all(0 <= at < size for at, size in zip(given, right.shape, strict=True)):
        return Verdict(False, "Select a cell first, by mouse or with the arrow keys.", "", counts=False)
    quoted = shown(ask, given)
    if right[given]:
        return Verdict(True, "", quoted)
    hint = next((wrong.hint for wrong in ask.wrong if tuple(wrong.value(analysis)) == tuple(given)), ask.look)
    return Verdict(False, hint, quoted)
