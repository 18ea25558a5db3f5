"""What the user chooses in the sidebar: the mask, the reduction with its options, the quantity in the cells."""

from functools import partial

import streamlit as st

from lossviz.figures import QUANTITIES
from lossviz.reductions import FLAGS, MAX_SAFE_INTEGER, REDUCTIONS, reduction_named
from lossviz.settings import MASKS, Settings
from lossviz.ui.session.state import State, default_widget, read_widget
from lossviz.ui.shared.selectbox import select

__all__ = [
    "DECLARED",
    "OPTIONS",
    "UNREDUCED",
    "choose_quantity",
    "choose_settings",
    "chosen_quantity",
    "chosen_settings",
]

DECLARED = "declared"
OPTIONS = {
    "accumulation_steps": (
        "Micro-batches",
        "how many",
        "Into how many micro-batches the sequences are cut, in order: the accumulation steps of the loop.",
    ),
    "max_length": (
        "Constant length L_max",
        "the padded width T",
        "What the trainer divides by for each sequence, however long it is. Left empty, it is the padded width T.",
    ),
}
"""The numbers that a reduction may take, in the order of `Settings`: label, what an empty field means, help."""
UNREDUCED = Settings(reduction="sequence_loss", average_across_timesteps=False, average_across_batch=False)


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
            _flags()
        for option in OPTIONS:
            if option in (*row.needs, *row.may_take):
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


def _flags() -> None:
    defaults = Settings()
    for flag in FLAGS:
        default_widget(f"flag_{flag}", getattr(defaults, flag))
        st.checkbox(
            flag,
            key=f"flag_{flag}",
            help="7 of the 16 combinations have a meaning; the others say why they have none.",
            persist_state="session",
        )


def _number(state: State, option: str) -> None:
    label, empty, help_text = OPTIONS[option]
    editor = state.choice(option)
    default_widget(editor.key, editor.shown[option])  # as `value` it could not be emptied
    st.number_input(
        label,
        min_value=1,
        max_value=MAX_SAFE_INTEGER,
        value=None,
        step=1,
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        placeholder=empty,
        help=help_text,
        persist_state="session",
    )


def chosen_settings() -> Settings:
    """The selectors' values; `analyze` refuses in words flags that contradict each other and a number not given."""
    mask = read_widget("mask", DECLARED)
    defaults = Settings()
    return Settings(
        mask=None if mask == DECLARED else mask,
        reduction=read_widget("reduction", defaults.reduction),
        **{flag: bool(read_widget(f"flag_{flag}", getattr(defaults, flag))) for flag in FLAGS},
        **{option: read_widget(option) for option in OPTIONS},
    )


def chosen_quantity() -> str:
    """The quantity that the heatmaps show."""
    quantity: str = read_widget("quantity", "loss")
    return quantity
