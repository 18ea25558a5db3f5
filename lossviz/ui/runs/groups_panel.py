"""The losses of the run by token, position and length, as small multiples, and the tables to download."""

import streamlit as st

from lossviz.figures import grouped_losses
from lossviz.runs import GROUPS, Run
from lossviz.ui.runs.filters import BARS, bar_of
from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width

__all__ = ["LINKED", "groups_panel"]

LINKED: Links = {"run_save": is_flag}
WIDTH = 300
LABELS = {
    "token": "The tokens that make up most of the loss.",
    "position": "Mean loss by position.",
    "length": "Mean loss by length.",
}


def groups_panel(run: Run) -> None:
    """Draw the three pictures side by side, whose bars filter the list, and the tables to download."""
    for place, name in zip(st.columns(3), BARS, strict=True):
        key = BARS[name].plot
        with place:
            figure = grouped_losses(run.by(name), theme=theme(), width=plot_width(key, WIDTH))
            plot(
                figure,
                key=key,
                cell=bar_of(run, name),
                label=f"{LABELS[name]} A bar that is selected filters the list.",
            )
    st.caption(
        "Select a bar to see only the sequences that have it; Escape, or an emptied field above, shows all again."
    )
    with st.expander("Download the tables", key="run_save", on_change="rerun") as panel:
        if panel.open:
            with st.container(horizontal=True):
                _button("steps", lambda: run.steps().to_csv(index=False).encode())
                _button("sequences", lambda: run.sequences(limit=1_000_000).to_csv(index=False).encode())
                for name in GROUPS:
                    _button(f"by {name}", lambda name=name: run.by(name).to_csv(index=False).encode())


def _button(name: str, make: object) -> None:
    file = f"{name.replace(' ', '_')}.csv"
    st.download_button(f"{name.capitalize()} as CSV", make, file_name=file, on_click="ignore", key=f"download_{file}")  # type: ignore[arg-type]
