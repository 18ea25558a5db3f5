"""What the user chooses in the sidebar: the mask, the reduction with its options, the quantity in the cells."""

from functools import partial

import streamlit as st

from lossviz.figures import QUANTITIES
from lossviz.reductions import FLAGS, REDUCTIONS, LoopOption, reduction_named
from lossviz.settings import MASKS, Settings
from lossviz.ui.session.link_checks import Links, is_flag, of_options, one_of
from lossviz.ui.session.state import State, default_widget, read_widget
from lossviz.ui.shared.loop_options import SETTINGS_OPTIONS, number_field
from lossviz.ui.shared.selectbox import select

__all__ = [
    "DECLARED",
    "LINKED",
    "UNREDUCED",
    "choose_quantity",
    "choose_settings",
    "chosen_quantity",
    "chosen_settings",
]

DECLARED = "declared"
UNREDUCED = Settings(reduction="sequence_loss", average_across_timesteps=False, average_across_batch=False)
LINKED: Links = {
    "mask": one_of((DECLARED, *MASKS)),
    "reduction": one_of(reduction.name for reduction in REDUCTIONS),
    "quantity": one_of(QUANTITIES),
    **{f"flag_{flag}": is_flag for flag in FLAGS},
    **of_options("", SETTINGS_OPTIONS),
}


def choose_settings(state: State) -> None:
    """Draw the selectors."""
    declared = state.source.current.declared_mask if state.source else "none"
    state.declared = declared
    select(
        state,
        "mask",
        "Mask",
        {DECLARED: f"As the batch says: {declared}", **MASKS},
        about="Which timesteps count. A batch says it with weights, else lengths, else an ignore id, else a pad id.",
    )
    with st.container(key="explore_reduction"):
        reduction = select(
            state,
            "reduction",
            "Reduction",
            {reduction.name: reduction.title for reduction in REDUCTIONS},
            first=Settings().reduction,
            about="How the timesteps' losses become one number, and what it is divided by.",
        )
        row = reduction_named(reduction)
        if row.name == "sequence_loss":
            _flags(state)
        for option in SETTINGS_OPTIONS:
            if option.name in (*row.needs, *row.may_take):
                _number(state, option)


def choose_quantity() -> None:
    """Draw the selector of what the cells of Explore's heatmaps show."""
    st.selectbox(
        "Quantity in the cells",
        list(QUANTITIES),
        format_func=lambda name: QUANTITIES[name].title,
        key="quantity",
        help="What the heatmaps show. The number stays the loss.",
        persist_state="session",
    )


def _flags(state: State) -> None:
    defaults = Settings()
    for flag in FLAGS:
        name = f"flag_{flag}"
        editor = state.choice(name, getattr(defaults, flag))
        st.checkbox(
            flag,
            value=editor.shown[name],
            key=editor.key,
            on_change=partial(state.take_choice, editor),
            help="7 of the 16 combinations have a meaning; the others say why they have none.",
        )
        state.take_reconnected(editor)


def _number(state: State, option: LoopOption) -> None:
    editor = state.choice(option.name)
    default_widget(editor.key, editor.shown[option.name])  # as `value` it could not be emptied
    st.number_input(
        value=None,
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        placeholder=option.absent or "how many",
        persist_state="session",
        **number_field(option),
    )


def chosen_settings() -> Settings:
    """The selectors' values; `analyze` refuses contradictory flags and missing numbers, and says why."""
    mask = read_widget("mask", DECLARED)
    defaults = Settings()
    return Settings(
        mask=None if mask == DECLARED else mask,
        reduction=read_widget("reduction", defaults.reduction),
        **{flag: bool(read_widget(f"flag_{flag}", getattr(defaults, flag))) for flag in FLAGS},
        **{option.name: read_widget(option.name) for option in SETTINGS_OPTIONS},
    )


def chosen_quantity() -> str:
    """The quantity that the heatmaps show."""
    quantity: str = read_widget("quantity", "loss")
    return quantity
