"""The catalogue of the lessons, walked: every number again in float64, every hint its own, every word known."""

import re

import numpy as np
import pytest

from lossviz import lessons
from lossviz.lessons import AFTER, BEFORE, CHAPTERS, PAGES, STEPS, WORDS, Choice, Number, Pick, analysis_of, check
from lossviz.samples import SAMPLES
from tests.lessons.lesson_oracle import ALSO, ANSWERS, PROGRAMS, PROSE
from tests.loops import held, run

every = pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
asked = pytest.mark.parametrize("step", [STEPS[name] for name in ANSWERS], ids=list(ANSWERS))
LIBRARIES = ("TensorFlow", "PyTorch")
FILLED = ["3.9", "3.10", "3.11"]  # tests/lessons/test_blanks.py


def texts(step):
    analysis = analysis_of(step.screen)
    yield from (step.title, step.body, step.why, step.door.words)
    for ask in step.asks:
        yield from (
            lessons.label_of(ask, analysis),
            ask.look,
            *ask.working(analysis),
            *(wrong.hint for wrong in ask.wrong),
        )
        if isinstance(ask, Choice):
            yield from lessons.options(ask, analysis)


def same(one, other):
    if isinstance(other, str | tuple):
        return one == other if isinstance(other, str) else tuple(one) == other
    return bool(np.isclose(float(one), float(other), rtol=1e-6, atol=1e-9, equal_nan=True))


def test_steps_are_numbered_and_all_there():
    assert [chapter.number for chapter in CHAPTERS] == [1, 2, 3, 4, 5]
    for chapter in CHAPTERS:
        assert [step.id for step in chapter.steps] == [f"{chapter.number}.{i + 1}" for i in range(len(chapter.steps))]
        assert {step.chapter for step in chapter.steps} == {chapter.number}
    for chapter in CHAPTERS[1:]:
        assert [STEPS[name].chapter < chapter.number for name in chapter.recall] == [True] * 3
    assert [name for name in STEPS if name not in FILLED] == list(ANSWERS)


@asked
def test_step_answers_are_those_of_float64(step):
    """The right answer of every question, and the number of every misconception, from the samples' arrays."""
    analysis = analysis_of(step.screen)
    for ask, (right, wrong) in zip(step.asks, ANSWERS[step.id], strict=True):
        value = ask.answer(analysis)
        if isinstance(ask, Pick):
            assert {tuple(cell) for cell in np.argwhere(value).tolist()} == right
        else:
            assert same(value, right), (value, right)
        given = [one.value(analysis) for one in ask.wrong]
        assert [same(*pair) for pair in zip(given, wrong, strict=True)] == [True] * len(wrong), given
        also = ask.also if isinstance(ask, Number) else None
        assert (also is not None) == (step.id in ALSO)
        if also is not None:
            assert same(also(analysis), ALSO[step.id])


@every
@pytest.mark.parametrize("library", LIBRARIES)
def test_step_code_gives_the_answer(step, library):
    batch = analysis_of(step.screen).batch
    after = run(step.program.code(library), library, held(batch))[step.program.result]
    left = np.concatenate(
        [np.ravel(np.asarray(part, float)) for part in (after if isinstance(after, tuple) else [after])]
    )
    right = [np.ravel(right) for right, _ in ANSWERS[step.id]] if step.id not in PROGRAMS else [PROGRAMS[step.id]]
    np.testing.assert_allclose(left, np.concatenate(right).astype(float), rtol=2e-5, atol=1e-6)
    assert any(marked for _, marked in step.program.lines(library))


@asked
def test_step_hints_belong_to_wrong_answers_only(step):
    analysis = analysis_of(step.screen)
    for ask in step.asks:
        right = ask.answer(analysis)
        given = tuple(np.argwhere(right)[0].tolist()) if isinstance(ask, Pick) else lessons.answer_text(ask, analysis)
        assert check(ask, analysis, given).right
        hints = []
        for wrong in ask.wrong:
            value = wrong.value(analysis)
            typed = tuple(value) if isinstance(ask, Pick) else f"{value:.4f}" if isinstance(ask, Number) else str(value)
            verdict = check(ask, analysis, typed)
            hints.append(verdict.hint)
            assert not verdict.right
            assert verdict.counts
            assert verdict.hint == wrong.hint, typed
        assert len(set(hints)) == len(hints) > 0
        assert lessons.working(ask, analysis).startswith(lessons.working(ask, analysis, whole=False))


@every
def test_step_numbers_in_prose_are_worked_out_too(step):
    """Every decimal of a text is an answer, a misconception's number, or one that the oracle lists for the step."""
    known = [
        value
        for ask in ANSWERS.get(step.id, [])
        for value in (ask[0], *ask[1])
        if not isinstance(value, str | tuple | set)
    ]
    written = {f"{x:.4f}" for x in [*known, *PROSE.get(step.id, ())]} | {f"{x:.2f}" for x in PROSE.get(step.id, ())}
    fixed = (step.body, step.why, step.door.words, *(wrong.hint for ask in step.asks for wrong in ask.wrong))
    found = {number for text in fixed for number in re.findall(r"\d+\.\d{2,}", text)}
    allowed = written | {w.rstrip("0") for w in written}
    assert {number for number in found if number not in allowed and number != "2.21"} == set()


def test_steps_use_only_words_that_were_introduced():
    known: set[str] = set()
    for step in STEPS.values():
        assert not known & set(step.words), step.id
        known |= set(step.words)
        used = set().union(*(lessons.words_in(text) for text in texts(step)))
        assert used - known == set(), (step.id, [text for text in texts(step) if lessons.words_in(text) - known])
    assert [word.name for word in WORDS] == [word for step in STEPS.values() for word in step.words]


@every
def test_step_is_short_and_complete(step):
    assert len(step.body.split()) <= 60
    assert step.screen.before in BEFORE
    assert step.screen.after in AFTER
    assert step.door.page in PAGES
    assert step.door.words
    assert step.screen.batch in {sample.name for sample in SAMPLES} | set(lessons.BATCHES)
    for ask in step.asks:
        offered = lessons.options(ask, analysis_of(step.screen))
        assert 2 <= len(offered) <= (7 if step.id in FILLED else 5)
        assert len(offered) == len(set(offered))


def test_options_do_not_begin_with_the_right_answer():
    places = [
        lessons.options(ask, analysis_of(step.screen)).index(lessons.answer_text(ask, analysis_of(step.screen)))
        for step in STEPS.values()
        for ask in step.asks
        if not isinstance(ask, Pick) and step.id not in FILLED
    ]
    assert {0, 1, 2} <= set(places)
