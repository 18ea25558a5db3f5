"""A figure as a file of its own: standalone HTML always, PNG and SVG where a browser is found."""

from functools import cache
from importlib.util import find_spec
from typing import Any

__all__ = ["IMAGES", "can_draw_images", "figure_html", "figure_image"]

IMAGES = ("png", "svg")


def figure_html(figure: Any) -> bytes:
    """One HTML file that needs no network, because it contains plotly.js."""
    page: str = figure.to_html(full_html=True, include_plotlyjs=True, config={"displaylogo": False})
    return page.encode()


def figure_image(figure: Any, image: str) -> bytes:
    """The figure as PNG (at twice the size, for print) or SVG; takes about two seconds, as a browser draws it."""
    drawn: bytes = figure.to_image(format=image, scale=2 if image == "png" else 1)
    return drawn


@cache
def can_draw_images() -> bool:
    """Whether kaleido is installed and finds a Chrome or Chromium."""
    if find_spec("kaleido") is None:
        return False
    from choreographer.browsers.chromium import Chromium

    return bool(Chromium.find_browser(skip_local=False))
