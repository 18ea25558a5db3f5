"""The split simulator: cut the batch, average the parts, and see what each timestep weighs then."""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.digits import number_text
from lossviz.errors import InputError
from lossviz.figures import split_weights
from lossviz.splits import KINDS, Cut, Split, cut_evenly, cut_typed, simulate_split
from lossviz.ui.link import remember
from lossviz.ui.session.link_checks import Links, is_count, is_text, one_of
from lossviz.ui.session.state import State, default_widget, read_widget, write_widget
from lossviz.ui.shared.downloads_panel import picture_buttons
from lossviz.ui.shared.equation import WIDTH, theme
from lossviz.ui.shared.plot import plot, plot_width
from lossviz.ui.shared.widgets import literal, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LINKED", "split_panel"]

PARTS = "split_parts"
LINKED: Links = {"split_kind": one_of(KINDS), PARTS: is_count, "split_typed": is_text}
MOST_PARTS = 64  # on the slider; more can be typed
HELP = "Sizes in order, such as 1, 2; or what each part holds, such as 0 | 1-2. If empty, the slider decides."


@st.fragment
def split_panel(state: State, analysis: Analysis) -> None:
    """Draw the cut, the three numbers, why they differ, and the picture."""
    with st.container(key="split", border=True):
        st.markdown("**What if the batch is cut, and the means of its parts are averaged?**")
        split = simulate_split(analysis, _cut(state, analysis))
        _numbers(split)
        st.markdown(literal(split.sentence))
        width = plot_width("split_weights", WIDTH - 34)
        draw = partial(split_weights, analysis, cut=split.cut, theme=theme(), width=width)
        plot(draw(), key="split_weights", label="What each timestep weighs in the mean of means.", selectable=False)
        with st.expander("The parts, their means, and the picture as a file"):
            st.dataframe(_parts(split), hide_index=True)
            picture_buttons({"split": draw})
    remember(state)


def _cut(state: State, analysis: Analysis) -> Cut:
    kind_place, slider, typed = st.columns([2.4, 0.8, 1], vertical_alignment="bottom")
    default_widget("split_kind", "micro-batches")
    with kind_place:
        chosen = st.segmented_control(
            "Cut into",
            list(KINDS),
            key="split_kind",
            required=True,
            format_func=lambda name: KINDS[name].title,
            help="Micro-batches and ranks share out the sequences, context-parallel chunks the timesteps.",
            persist_state="session",
        )
    kind = chosen or "micro-batches"
    length = analysis.weights.shape[KINDS[kind].axis]
    with slider:
        count = _count(state, length)
    with typed:
        text = st.text_input(
            "Or type the cut", key="split_typed", placeholder="1, 2", help=HELP, persist_state="session"
        )
    if text and text.strip():
        try:
            return cut_typed(kind, length, text)
        except InputError as error:
            say("error", str(error))
    return cut_evenly(kind, length, count)


def _count(state: State, length: int) -> int:
    last = min(length, MOST_PARTS)
    if last < 2:
        st.caption("There is one part only.")
        return 1
    write_widget(PARTS, min(max(read_widget(PARTS) or 2, 1), last))
    editor = state.choice(PARTS, words=last)
    parts = st.slider(
        "Parts",
        1,
        last,
        editor.shown[PARTS],
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        help="Of the same size, in order.",
        disabled=bool(read_widget("split_typed")),
    )
    state.take_reconnected(editor)
    return int(parts)


def _numbers(split: Split) -> None:
    means, once = split.torch_mean_of_means, split.divided_once
    with st.container(key="split_numbers", horizontal=True, gap="large"):
        st.metric("Mean of means, nats", number_text(means), help=MEAN_HELP, width="content")
        st.metric("Divided once, nats", number_text(once), help=ONCE_HELP, width="content")
        st.metric("Sum of means", number_text(split.sum_of_means), help=SUM_HELP, width="content")
        st.metric("Difference", number_text(means - once), width="content")


MEAN_HELP = (
    "Each part divided by its own timesteps, then by the number of parts. NaN where a part has none, as in PyTorch."
)
ONCE_HELP = "The sums of all parts, divided once by all their timesteps: the mean of the whole batch. This is the fix."
SUM_HELP = "Accumulated without dividing by the number of parts."


def _parts(split: Split) -> "pd.DataFrame":
    import pandas as pd

    words = split.cut.words
    return pd.DataFrame(
        {
            words.part: range(len(split.counts)),
            f"{words.of}s": [_listed(part) for part in split.cut.parts],
            "Σ w·loss": split.sums,
            "Σ w": split.counts,
            "mean": split.means,
        }
    )


def _listed(places: tuple[int, ...]) -> str:
    """Numbers with runs put together.

    >>> _listed((0, 1, 2, 5))
    '0-2, 5'
    """
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in runs)
