"""The pages, one file each, in the order of the navigation. A view composes panels and computes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from lossviz.ui.shared.settings_panel import choose_quantity
from lossviz.ui.views.doctor import doctor
from lossviz.ui.views.explore import explore
from lossviz.ui.views.identify import identify
from lossviz.ui.views.learn import learn
from lossviz.ui.views.reductions import reductions

__all__ = ["BATCH", "LEARN", "VIEWS", "View"]

BATCH, LEARN = "This batch", "Learn"
"""The groups of the navigation."""


def _nothing() -> None:
    """A page for which the sidebar has no more to choose."""


@dataclass(frozen=True)
class View:
    """A page: its address, its title in the navigation, and the question that it answers.

    Attributes:
        show: draws it; `choose`: draws what is chosen in the sidebar for this page alone.
        group: where it stands in the navigation; the pages of `BATCH` share the batch and its settings.
    """

    name: str
    title: str
    question: str
    show: Callable[[], None]
    choose: Callable[[], None] = _nothing
    group: str = BATCH


VIEWS: tuple[View, ...] = (
    View("explore", "Explore", "Which timesteps make up my number?", explore, choose_quantity),
    View("doctor", "Doctor", "What is wrong with this batch?", doctor),
    View("reductions", "Reductions", "Which number would each library print?", reductions),
    View("identify", "Identify", "What is my loop printing?", identify),
    View("learn", "Learn", "What is a sequence loss made of?", learn, group=LEARN),
)
