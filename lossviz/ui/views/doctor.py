"""Doctor: what is wrong with this batch?"""

from lossviz.ui.doctor import doctor_panel, repairs_panel
from lossviz.ui.doctor_rules import catalogue_panel, outcomes_panel
from lossviz.ui.link import remember
from lossviz.ui.number import refusal_panel
from lossviz.ui.page import analysis_on_screen, has_batch
from lossviz.ui.state import get_state
from lossviz.ui.work import stopped

__all__ = ["doctor"]


def doctor() -> None:
    """Draw the page."""
    state = get_state()
    if not has_batch(state) or stopped(state):
        return
    analysis, refusal = analysis_on_screen(state)
    refusal_panel(state)
    repairs_panel(state, analysis)
    diagnosis = doctor_panel(state, analysis, refusal)
    outcomes_panel(diagnosis)
    catalogue_panel(diagnosis)
    remember(state)
