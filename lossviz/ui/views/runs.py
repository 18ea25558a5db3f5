"""Runs: which step, which sequence, which token should I look at?"""

from lossviz.ui.link import remember
from lossviz.ui.runs.groups_panel import groups_panel
from lossviz.ui.runs.run_choice import choose_run
from lossviz.ui.runs.scan_panel import scan_panel
from lossviz.ui.runs.sequences_panel import sequences_panel
from lossviz.ui.runs.steps_panel import steps_panel
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.widgets import kept_apart

__all__ = ["runs"]


def runs() -> None:
    """Draw the page."""
    state = get_state()
    run = choose_run(state)
    if run is None:
        return
    with kept_apart("The run"):  # a shard may be damaged after it was opened
        scan_panel(state, run)
        steps_panel(state, run)
        sequences_panel(state, run)
        groups_panel(run)
    learn_links("divisor", "perplexity", "shifted targets")
    remember(state)
