"""The pages, one file each, in the order of the navigation. A view composes panels and computes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from lossviz.ui.shared.settings_panel import choose_quantity
from lossviz.ui.views.compare import compare
from lossviz.ui.views.doctor import doctor
from lossviz.ui.views.explore import explore
from lossviz.ui.views.identify import identify
from lossviz.ui.views.learn import learn
from lossviz.ui.views.reductions import reductions
from lossviz.ui.views.runs import runs
from lossviz.ui.views.train import run_again, train

__all__ = ["BATCH", "LEARN", "RUN", "VIEWS", "View"]

BATCH, RUN, LEARN = "This batch", "A run", "Learn"
"""The groups of the navigation."""


def _nothing() -> None:
    """A page for which the sidebar has no more to choose."""


@dataclass(frozen=True)
class View:
    """A page: its address, its title in the navigation, and the question that it answers.

    Attributes:
        show: draws it; `choose`: draws what is chosen in the sidebar for this page alone.
        after: what is done when all is drawn.
        group: where it stands in the navigation; the pages of `LEARN` have no batch in the sidebar.
    """

    name: str
    title: str
    question: str
    show: Callable[[], None]
    choose: Callable[[], None] = _nothing
    group: str = BATCH
    after: Callable[[], None] = _nothing


VIEWS: tuple[View, ...] = (
    View("explore", "Explore", "Which timesteps make up my number?", explore, choose_quantity),
    View("doctor", "Doctor", "What is wrong with this batch?", doctor),
    View("reductions", "Reductions", "Which number would each library print?", reductions),
    View("identify", "Identify", "What is my loop printing?", identify),
    View("runs", "Runs", "Which step, which sequence, which token should I look at?", runs, group=RUN),
    View("compare", "Compare", "What changed, and by how much?", compare, group=RUN),
    View("learn", "Learn", "What is a sequence loss made of?", learn, group=LEARN),
    View("train", "Train", "What does one wrong line do?", train, group=LEARN, after=run_again),
)
