"""The verdict, a 2 × 2 of two questions: does the number lie, is the model harmed? And what the models write."""

from collections.abc import Iterable
from html import escape

import streamlit as st

from lossviz.theatre import ACTS, HARM_FROM, LIE_FROM, Recording, code
from lossviz.ui.learn.code_panel import program_html
from lossviz.ui.session.state import State
from lossviz.ui.train.live import recorded

__all__ = ["texts_panel", "verdict_panel"]

FACTS = {"stopped": "texts that end by themselves", "exact": "dates written right", "right": "reviews read right"}


def verdict_panel(state: State, recording: Recording, at: int) -> None:
    """Draw the two answers at this frame, and where each act stands that was predicted."""
    with st.container(key="train_verdict"):
        said, table = st.columns([1, 1.1], gap="medium")
        with said:
            verdict = recording.verdict(at)
            number, harm = verdict.sentences[0], f"{verdict.harm:+.2f} nats against the right run".replace("-", "−")
            st.markdown(
                f"**Verdict after step {recording.steps[at]}**, on text that neither model was trained on  \n"
                f"Does the number lie? **{'Yes' if verdict.lies else 'No'}**: {escape(number)}  \n"
                f"Is the model harmed? **{'Yes' if verdict.harmed else 'No'}**: {harm}"
            )
            limits = f"A lie: from {100 * LIE_FROM:g} % off the truth on. Harm: from {HARM_FROM:g} nat a timestep on."
            st.caption(f"{limits} {_unharmed()}")
        with table:
            st.html(_quadrants(state))


def texts_panel(recording: Recording, at: int) -> None:
    """Draw what both models write, the true loss of each part of the held-out text, and the two programs."""
    right, wrong = recording.right.frame(at), recording.wrong.frame(at)
    with st.container(key="train_texts"):
        written = zip(recording.right.scene.prompts, right.texts, wrong.texts, strict=True)
        rows = [(prompt, str(one), str(other)) for prompt, one, other in written]
        st.html(_table(("Asked", "the right model writes", "the bug's model writes"), rows, code=True))
        parts: list[tuple[str, ...]] = [
            (group.name, f"{group.count:,}", f"{one:.3f}", f"{other:.3f}")
            for group, one, other in zip(recording.right.scene.groups, right.true, wrong.true, strict=True)
        ]
        parts += [
            (words, "", *(f"{100 * run.facts[name]:.0f} %" for run in (recording.right, recording.wrong)))
            for name, words in FACTS.items()
            if name in recording.right.facts and recording.finished and at == len(recording.steps) - 1
        ]
        st.html(_table(("True mean loss on held-out text", "timesteps", "right, nats", "bug, nats"), parts))
    with st.expander("Both programs", key="train_programs"):
        shown = code(recording.settings)
        for place, (name, lines) in zip(st.columns(2), (("right", shown.right), ("bug", shown.wrong)), strict=True):
            marked = [(line, at == shown.changed) for at, line in enumerate(lines)]
            place.html(program_html(marked, f"The program of the {name}"))


def _quadrants(state: State) -> str:
    """The acts that were predicted, each where its end stands."""
    places: dict[tuple[bool, bool], list[str]] = {}
    for act in ACTS:
        if not state.staging.predictions.of(str(act.number)).is_committed:
            continue
        for pair in act.settings:
            known = recorded(pair)
            if known is None:
                continue
            verdict = known.verdict()
            name = f"{act.number} {act.title}" + (f", {pair.optimizer}" if len(act.settings) > 1 else "")
            shown = f"<b>{escape(name)}</b>" if act is state.staging.act else escape(name)
            places.setdefault((verdict.lies, verdict.harmed), []).append(shown)
    rows = "".join(
        f"<tr><th scope='row'>{words}</th>"
        + "".join(f"<td>{'<br>'.join(places.get((lies, harmed), ['–']))}</td>" for harmed in (False, True))
        + "</tr>"
        for words, lies in (("the number is honest", False), ("the number lies", True))
    )
    head = "<tr><td></td><th scope='col'>the model is unharmed</th><th scope='col'>the model is harmed</th></tr>"
    return f"<table class='train-table train-quadrants'><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _unharmed() -> str:
    """How many of the acts don't harm a model under Adam."""
    under_adam = [pair for act in ACTS for pair in act.settings if pair.optimizer == "adam"]
    known = [recording for recording in map(recorded, under_adam) if recording is not None]
    count = sum(not recording.verdict().harmed for recording in known)
    return f"Under Adam, {count} of these {len(known)} bugs leave the model unharmed."


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], *, code: bool = False) -> str:
    """A table for `st.html`; with `code`, all but the first column is code."""
    columns = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    lines = "".join(
        "<tr>"
        + "".join(
            f"<th scope='row'>{escape(cell)}</th>" if not place
            else f"<td><code>{escape(cell)}</code></td>" if code
            else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )  # fmt: skip
    return f"<table class='train-table'><thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table>"
