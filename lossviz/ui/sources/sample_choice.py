"""The list of samples: in groups, one line each, searched by typing."""

from collections import Counter

from lossviz.samples import DEFAULT, GROUPS
from lossviz.ui.session.link_checks import Links, one_of
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.selectbox import select
from lossviz.ui.sources.rule_samples import DOOR_SAMPLES, FAMILIES

__all__ = ["GROUP", "LINKED", "SAMPLE", "SAMPLE_GROUPS", "choose_sample"]

SAMPLE, GROUP, LAST = "sample", "sample_group", "sample_group:last"
EVERY = "all"
_COUNTS = Counter(sample.group for sample in DOOR_SAMPLES.values())
SAMPLE_GROUPS = {
    EVERY: f"All {len(DOOR_SAMPLES)}, or one group",
    **{group: f"{group} ({_COUNTS[group]})" for group in (*GROUPS, *FAMILIES)},
}
"""The groups, with how many samples each has."""
LINKED: Links = {SAMPLE: one_of(DOOR_SAMPLES), GROUP: one_of(SAMPLE_GROUPS)}
ABOUT = (
    "Recorded batches of a trained model, worked examples, one batch per kind of wrong content, and a bad and a "
    "good one for each rule of the doctor. Type in the list to search it."
)


def choose_sample(state: State) -> str:
    """Draw both lists, and return the sample that is chosen."""
    _keep_together()
    group = select(state, GROUP, "Samples", SAMPLE_GROUPS, about="Shortens the list below.")
    write_widget(LAST, group)
    listed = {name: sample.title for name, sample in DOOR_SAMPLES.items() if group in (EVERY, sample.group)}
    return select(state, SAMPLE, "Sample", listed, first=DEFAULT if DEFAULT in listed else None, about=ABOUT)


def _keep_together() -> None:
    """Of a new group take the first sample; a sample that a link or a button chose is looked for in all of them."""
    group, sample = read_widget(GROUP, EVERY), DOOR_SAMPLES.get(read_widget(SAMPLE, DEFAULT))
    if group == EVERY or group not in SAMPLE_GROUPS or sample is None or sample.group == group:
        return
    if group == read_widget(LAST, group):
        write_widget(GROUP, EVERY)
    else:
        write_widget(SAMPLE, next(name for name, one in DOOR_SAMPLES.items() if one.group == group))
