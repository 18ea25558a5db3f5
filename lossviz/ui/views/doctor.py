"""Doctor: what is wrong with this batch?"""

from lossviz.ui.doctor.findings_panel import doctor_panel, repairs_panel
from lossviz.ui.doctor.rules_panel import catalogue_panel, outcomes_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.computation import stopped
from lossviz.ui.shared.findings_badge import diagnosed
from lossviz.ui.shared.headline_panel import refusal_panel
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.page import analysis_on_screen, has_batch
from lossviz.ui.shared.widgets import kept_apart

__all__ = ["doctor"]


def doctor() -> None:
    """Draw the page."""
    state = get_state()
    if not has_batch(state) or stopped(state):
        return
    analysis, refusal = analysis_on_screen(state)
    refusal_panel(state)
    with kept_apart("What was repaired"):
        repairs_panel(state, analysis)
    diagnosis = diagnosed(analysis)
    if diagnosis is not None:
        with kept_apart("The findings"):
            doctor_panel(state, analysis, diagnosis, refusal)
        with kept_apart("The other rules"):
            outcomes_panel(diagnosis)
    with kept_apart("The catalogue"):
        catalogue_panel(diagnosis.findings if diagnosis else ())
    learn_links("stop tokens", "shifted targets", "NaN under a mask")
    remember(state)
