"""The prediction: what is asked of an act, the one line that differs, the answers, and what is said to them."""

from functools import partial
from html import escape

import streamlit as st

from lossviz.lessons import Verdict
from lossviz.theatre import ACTS, Act, Option, act_numbered, code
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.widgets import literal
from lossviz.ui.train.address import go_to

__all__ = ["HEADING", "act_buttons", "committed", "question_panel", "title_of"]

HEADING = ".st-key-train_question h2"
NOTHING = "Predict first; Show me skips the prediction."


def title_of(act: Act) -> str:
    """The heading of an act."""
    return f"Act {act.number}: {act.title}"


def committed(state: State, act: Act) -> bool:
    """Whether the act was predicted, or is to be shown without."""
    return state.staging.predictions.of(str(act.number)).is_committed


def question_panel(state: State, act: Act) -> None:
    """Draw the question with the line that differs, then the answers, or what became of the one that was given."""
    asked, answered = st.columns([1, 1.1], gap="medium")
    with asked, st.container(key="train_question", gap="small"):
        st.header(title_of(act), anchor=False)
        st.markdown(literal(act.question))
        _changed_line(state)
    with answered:
        if committed(state, act):
            _feedback(state, act)
        else:
            _answers(state, act)


def act_buttons(state: State, act: Act) -> None:
    """Back and forth, and the predictions taken back."""
    with st.container(key="train_next", horizontal=True, vertical_alignment="center"):
        for label, by, shortcut in (("Previous act", -1, "Alt+P"), ("Next act", 1, "Alt+N")):
            number = act.number + by
            other = act_numbered(number) if 1 <= number <= len(ACTS) else None
            st.button(
                label,
                key="train_next_button" if by > 0 else "train_previous_button",
                shortcut=shortcut,
                type="primary" if by > 0 and committed(state, act) else "secondary",
                disabled=other is None,
                on_click=None if other is None else partial(go_to, state, other),
            )
        st.space("stretch")
        predictions = state.staging.predictions
        if predictions.before is not None:
            st.caption("Everything is open again.", width="content")
            st.button("Undo", key="train_take_back", type="tertiary", on_click=predictions.take_back)
        elif predictions.done:
            st.button("Start over", key="train_start_over", type="tertiary", on_click=predictions.start_over)


def _changed_line(state: State) -> None:
    """The one line that differs between the two programs."""
    shown = code(state.staging.settings)
    lines = {"right": shown.right[shown.changed], "bug": shown.wrong[shown.changed]}
    rows = "".join(
        f'<span class="train-{name}"><b>{name}</b> {escape(line.strip())}</span>' for name, line in lines.items()
    )
    label = 'tabindex="0" aria-label="The line that differs"'
    st.html(f'<pre class="learn-code train-change" {label}><code>{rows}</code></pre>')


def _answers(state: State, act: Act) -> None:
    with st.container(key="train_answer"), st.form(f"train_form_{act.number}", border=False):
        texts = [option.text for option in _offered(act)]
        key = _key(act)
        if read_widget(key) not in texts:
            write_widget(key, None)
        st.pills("Your prediction", texts, key=key, format_func=literal, width="stretch")
        buttons, commit, show = st.container(horizontal=True), partial(_commit, state, act), partial(_show, state, act)
        buttons.form_submit_button("Commit", key="train_check", type="primary", shortcut="Alt+K", on_click=commit)
        buttons.form_submit_button("Show me", key="train_show", shortcut="Alt+S", on_click=show)
    with st.container(key="train_feedback"):
        for verdict in state.staging.predictions.verdicts.get(str(act.number), ()):
            st.warning(literal(verdict.hint))


def _feedback(state: State, act: Act) -> None:
    done = state.staging.predictions.of(str(act.number))
    right = next(option for option in act.options if option.right)
    given = next((option for option in act.options if done.given == (option.text,)), None)
    with st.container(key="train_feedback"):
        if given is None or given.right:
            head = "**Right.**" if given else "**This happens.**"
            said = f"{head} {literal(right.text)}. {literal(right.feedback)}"
        else:
            said = (
                f"You predicted: {literal(given.text)}. {literal(given.feedback)}\n\n"
                f"**{literal(right.text)}.** {literal(right.feedback)}"
            )
        box = st.success if given is not None and given.right else st.info
        box(f"{said}\n\n{literal(act.lesson)}")


def _offered(act: Act) -> list[Option]:
    """In an order that says nothing about which is right."""
    return sorted(act.options, key=lambda option: option.text)


def _commit(state: State, act: Act) -> None:
    chosen = next((option for option in act.options if option.text == read_widget(_key(act))), None)
    predictions, number = state.staging.predictions, str(act.number)
    if chosen is None:
        predictions.answer(number, (), (Verdict(False, NOTHING, "", counts=False),))
        return
    verdict = Verdict(chosen.right, chosen.feedback, chosen.text)
    predictions.answer(number, (chosen.text,), (verdict,), patience=1)


def _show(state: State, act: Act) -> None:
    state.staging.predictions.show(str(act.number), ())


def _key(act: Act) -> str:
    return f"train_answer_{act.number}"
