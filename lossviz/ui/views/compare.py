"""Compare: what changed from A to B, and by how much?"""

from lossviz.ui.compare.choice_panel import choice_panel, comparison_of
from lossviz.ui.compare.difference_panel import difference_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.widgets import kept_apart

__all__ = ["compare"]


def compare() -> None:
    """Draw the page."""
    state = get_state()
    chosen = choice_panel(state)
    if chosen is None:
        return
    with kept_apart("The comparison"):
        difference_panel(state, comparison_of(state, *chosen))
    learn_links("mask", "divisor", "padding")
    remember(state)
