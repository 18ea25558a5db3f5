"""What changed from A to B: the sum that explains the two numbers, each timestep, the tokens that got worse."""

import streamlit as st

from lossviz.digits import number
from lossviz.figures import difference_map, loss_scatter
from lossviz.runs import Comparison
from lossviz.ui.session.state import State
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width
from lossviz.ui.shared.widgets import literal

__all__ = ["difference_panel"]

MAP, SCATTER, WIDTH = "compare_map", "compare_scatter", 930
MOST = 20_000  # timesteps that are drawn cell by cell


def difference_panel(state: State, comparison: Comparison) -> None:
    """Draw the numbers, the map, the scatter and the table."""
    _numbers(comparison)
    st.markdown(literal(comparison.sentence))
    if comparison.shared:
        st.caption(comparison.shared)
    if comparison.losses.size <= MOST:
        with st.container(key="compare_cells"):
            figure = difference_map(comparison, theme=theme(), width=plot_width(MAP, WIDTH))
            state.compared = plot(
                figure, key=MAP, cell=state.compared, label="Loss in B less loss in A. Arrow keys select a cell."
            )
    else:
        st.caption(f"{comparison.losses.size:,} timesteps are too many to draw one by one; the tables have them all.")
    scatter, table = st.columns([1, 1.1])
    with scatter:
        figure = loss_scatter(comparison, theme=theme(), width=plot_width(SCATTER, WIDTH // 2))
        plot(figure, key=SCATTER, label="Loss in A and in B of every timestep.", selectable=False)
    with table:
        _tokens(comparison)


def _numbers(comparison: Comparison) -> None:
    parts = (
        ("A", float(comparison.a.value), ""),
        ("From the losses", comparison.from_losses, "What the change of the losses makes, with A's and B's mask."),
        ("From the mask", comparison.from_mask, "What it makes that other timesteps count, or by another weight."),
        ("From the divisor", comparison.from_divisor, "What it makes that the sum is divided by another number."),
        ("B", float(comparison.b.value), ""),
    )
    with st.container(key="compare_numbers", horizontal=True, gap="large"):
        for label, value, about in parts:
            sign = "+" if about and value >= 0 else ""
            st.metric(label, f"{sign}{number(value)}", help=about or None, width="content")


def _tokens(comparison: Comparison) -> None:
    """The tokens, what got worse most first."""
    table = comparison.tokens()
    st.caption("Tokens, what got worse first: what they add to the difference, and their mean losses.")
    st.dataframe(
        table[["token", "count", "worse", "mean_a", "mean_b", "change", "difference"]],
        hide_index=True,
        height=380,
        key="compare_tokens",
        column_config={
            name: st.column_config.NumberColumn(format="%.4f") for name in ("mean_a", "mean_b", "change", "difference")
        },
    )
    csv = table.to_csv(index=False).encode()
    st.download_button("Tokens as CSV", csv, file_name="tokens.csv", on_click="ignore", key="download_compared_tokens")
