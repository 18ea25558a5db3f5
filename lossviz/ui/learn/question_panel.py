"""The question of a step: its words, the fields, Check and Show me, and what is said to an answer."""

import re
from functools import partial

import streamlit as st

from lossviz.lessons import (
    WORDS,
    Ask,
    Choice,
    Fill,
    Pick,
    Step,
    Verdict,
    analysis_of,
    answer_text,
    check,
    choice_text,
    label_of,
    options,
    read_choice,
    working,
)
from lossviz.ui.learn.address import place_of
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.widgets import escaped, literal

__all__ = ["HEADING", "announced", "ask_again", "ask_panel", "feedback_panel", "question_panel"]

HEADING = ".st-key-learn_question h2"
GIVEN = "_given"
SELECT = "Select a cell in the picture, by mouse or with the arrow keys."


def question_panel(step: Step) -> None:
    """Draw what to know and the new words."""
    with st.container(key="learn_question", gap="small"):
        st.header(f"{step.id} {step.title}", anchor=False)
        st.markdown(literal(step.body))
        new = [word for word in WORDS if word.name in step.words]
        if new:
            st.caption("\n".join(f"**{literal(word.name)}**: {literal(word.meaning)}  " for word in new))


def ask_panel(state: State, step: Step) -> None:
    """Draw the fields and the buttons; what was answered stays in them."""
    done = state.learning.of(step.id)
    with st.container(key="learn_answer"), st.form(f"learn_form_{step.id}", border=False):
        for place, ask in enumerate(step.asks):
            _field(state, step, place, ask, disabled=done.is_committed)
        buttons = st.container(horizontal=True)
        buttons.form_submit_button(
            "Check",
            key="learn_check",
            type="primary",
            shortcut="Alt+K",
            disabled=done.is_committed,
            on_click=partial(_check, state, step),
        )
        buttons.form_submit_button(
            "Show me",
            key="learn_show",
            shortcut="Alt+S",
            disabled=done.is_committed,
            on_click=partial(_show, state, step),
        )


def _field(state: State, step: Step, place: int, ask: Ask, *, disabled: bool) -> None:
    # A field that is locked is another one: the browser would go on showing what it held before the last answer.
    analysis, key = analysis_of(step.screen), _key(step, place) + (GIVEN if disabled else "")
    label, given = label_of(ask, analysis), state.learning.of(step.id).given
    if isinstance(ask, Pick):
        cell = state.learning.cells.get(step.id)
        picked = f"[{cell[0]}, {cell[1]}]" if cell else given[place] if place < len(given) else ""
        st.markdown(f"**{literal(label)}**  \n{literal(picked or SELECT)}")
        return
    known = given[place] if place < len(given) else None
    if isinstance(ask, Fill):
        _blanks(key, ask, known or "", disabled=disabled)
        return
    if isinstance(ask, Choice):
        offered = options(ask, analysis)
        if disabled or read_widget(key) not in offered:
            write_widget(key, known if known in offered else None)
        st.pills(literal(label), offered, key=key, disabled=disabled, format_func=literal, width="stretch")
        return
    if disabled or not read_widget(key):  # what the browser kept arrives after the first drawing
        write_widget(key, known or "")
    st.text_input(literal(label), key=key, disabled=disabled, max_chars=60, autocomplete="off")


def _blanks(key: str, ask: Fill, known: str, *, disabled: bool) -> None:
    """The function, and under it the lines to pick for each of its blanks."""
    kept = read_choice(ask.function, known)
    picked = []
    for at, blank in enumerate(ask.function.blanks):
        name, codes = f"{key}_{at}", [line.code for line in blank.lines]
        if disabled or read_widget(name) not in codes:
            write_widget(name, codes[kept[at]] if kept else None)
        picked.append(codes.index(read_widget(name)) if read_widget(name) in codes else None)
    st.code(ask.function.code(tuple(picked)), language="python", wrap_lines=True)
    for at, blank in enumerate(ask.function.blanks):
        # In an order that says nothing about which is right.
        codes = sorted(line.code for line in blank.lines)
        label = "return" if blank is ask.function.blanks[-1] else f"{blank.name} ="
        st.pills(label, codes, key=f"{key}_{at}", disabled=disabled, format_func=_as_code, width="stretch")


def _as_code(line: str) -> str:
    return f"`{line}`"


def _filled(key: str, ask: Fill) -> str:
    """The lines that are picked, as text; "" while one is missing."""
    picked = []
    for at, blank in enumerate(ask.function.blanks):
        codes = [line.code for line in blank.lines]
        if read_widget(f"{key}_{at}") not in codes:
            return ""
        picked.append(codes.index(read_widget(f"{key}_{at}")))
    return choice_text(tuple(picked))


def feedback_panel(state: State, step: Step) -> None:
    """Say what the answer is worth: a hint that quotes it, or the working and what it means."""
    done = state.learning.of(step.id)
    with st.container(key="learn_feedback"):
        verdicts = _verdicts(state, step)
        if done.is_committed:
            _committed(state, step)
        elif verdicts:
            st.warning("\n\n".join(_hints(step, verdicts, done.misses)))


def _committed(state: State, step: Step) -> None:
    done, analysis = state.learning.of(step.id), analysis_of(step.screen)
    lines = []
    for place, ask in enumerate(step.asks):
        given = done.given[place] if place < len(done.given) else ""
        label = f"{literal(label_of(ask, analysis))}: " if len(step.asks) > 1 else ""
        lines.append(f"{label}**{literal(answer_text(ask, analysis))}**. {literal(working(ask, analysis))}")
        if done.state != "right" and given and not isinstance(ask, Fill):
            lines[-1] += f" You answered {escaped(given)}."
    head = "**Right.**" if done.state == "right" else "**This is the answer.**"
    box = st.success if done.state == "right" else st.info
    box("\n\n".join([head, *lines, literal(step.why)]))
    st.button("Answer it again", key="learn_again", type="tertiary", on_click=partial(ask_again, state, step))


def _hints(step: Step, verdicts: tuple[Verdict, ...], misses: int) -> list[str]:
    analysis, lines = analysis_of(step.screen), []
    for ask, verdict in zip(step.asks, verdicts, strict=True):
        if verdict.right:
            continue
        label = f"**{literal(label_of(ask, analysis))}**: " if len(step.asks) > 1 else ""
        quoted = f"You answered {escaped(verdict.quoted)}. " if verdict.quoted else ""
        more = f" {literal(working(ask, analysis, whole=False))}" if misses >= 2 and verdict.counts else ""
        lines.append(f"{label}{quoted}{literal(verdict.hint)}{more}")
    return lines


def _verdicts(state: State, step: Step) -> tuple[Verdict, ...]:
    """What was said to the last answers; after a reload it is worked out again."""
    kept = state.learning.verdicts
    given = state.learning.of(step.id).given
    if step.id not in kept and any(given) and len(given) == len(step.asks):
        kept[step.id] = tuple(map(partial(_judged, step), step.asks, given))
    return kept.get(step.id, ())


def _judged(step: Step, ask: Ask, given: str) -> Verdict:
    if isinstance(ask, Pick):
        numbers = given.strip("[]").split(",")
        is_cell = len(numbers) == 2 and all(re.fullmatch(r" ?[0-9]{1,6}", number) for number in numbers)
        return check(ask, analysis_of(step.screen), (int(numbers[0]), int(numbers[1])) if is_cell else None)
    return check(ask, analysis_of(step.screen), given)


def _given(state: State, step: Step) -> tuple[str, ...]:
    """The answers as text, one for each question."""
    cell = state.learning.cells.get(step.id)
    picked = f"[{cell[0]}, {cell[1]}]" if cell else ""
    return tuple(
        picked
        if isinstance(ask, Pick)
        else _filled(_key(step, place), ask)
        if isinstance(ask, Fill)
        else str(read_widget(_key(step, place)) or "")
        for place, ask in enumerate(step.asks)
    )


def _check(state: State, step: Step) -> None:
    given = _given(state, step)
    state.learning.answer(step.id, given, tuple(map(partial(_judged, step), step.asks, given)))


def _show(state: State, step: Step) -> None:
    state.learning.show(step.id, _given(state, step))


def ask_again(state: State, step: Step) -> None:
    """Empty the fields of a step, and ask it again; a callback."""
    state.learning.open_again(step.id)
    for place, ask in enumerate(step.asks):
        if isinstance(ask, Fill):
            for at in range(len(ask.function.blanks)):
                write_widget(f"{_key(step, place)}_{at}", None)
        else:
            write_widget(_key(step, place), None if isinstance(ask, Choice) else "")
    state.learning.cells.pop(step.id, None)


def _key(step: Step, place: int) -> str:
    return f"learn_answer_{step.id}_{place}"


def announced(step: Step) -> str:
    """What a screen reader says of a step; it ends with the step's heading."""
    return f"{place_of(step)}: {step.id} {step.title}"
