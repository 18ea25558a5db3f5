"""Compare: what changed from A to B, and by how much?"""

from lossviz.errors import LossvizError
from lossviz.ui.compare.choice_panel import choice_panel, comparison_of
from lossviz.ui.compare.difference_panel import difference_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.widgets import say

__all__ = ["compare"]


def compare() -> None:
    """Draw the page."""
    state = get_state()
    chosen = choice_panel(state)
    if chosen is None:
        return
    try:
        difference_panel(state, comparison_of(state, *chosen))
    except LossvizError as error:
        say("error", str(error))
    learn_links("mask", "divisor", "padding")
    remember(state)
