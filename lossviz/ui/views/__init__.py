"""The pages, one file each, in the order of the navigation. A view composes panels and computes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from lossviz.ui.views.explore import explore

__all__ = ["VIEWS", "View"]


@dataclass(frozen=True)
class View:
    """A page: its address, its title in the navigation, and the question that it answers."""

    name: str
    title: str
    question: str
    show: Callable[[], None]


VIEWS: tuple[View, ...] = (View("explore", "Explore", "Which timesteps make up my number?", explore),)
