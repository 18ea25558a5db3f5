"""Doctor: what is wrong with this batch?"""

from lossviz.ui.doctor.findings_panel import doctor_panel, repairs_panel
from lossviz.ui.doctor.rules_panel import catalogue_panel, outcomes_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.computation import stopped
from lossviz.ui.shared.headline_panel import refusal_panel
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.page import analysis_on_screen, has_batch

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
    learn_links("stop tokens", "shifted targets", "NaN under a mask")
    remember(state)
