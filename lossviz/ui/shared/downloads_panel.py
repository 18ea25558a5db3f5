"""Downloads: the analysis, the batch as it is on screen, and the picture. Bytes are made when a button is pressed."""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.export import IMAGES, can_draw_images, figure_html, figure_image
from lossviz.figures import class_bars, equation, overview
from lossviz.formats import write
from lossviz.tables import DOWNLOADS, download
from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.session.state import State
from lossviz.ui.shared.equation import theme

__all__ = ["LINKED", "batch_button", "picture_buttons", "save_panel"]

LINKED: Links = {"save": is_flag}

MAX_BYTES = 200_000_000  # bytes of logits that are worth a download


def save_panel(state: State, analysis: Analysis, quantity: str, window: tuple[int, int, int, int] | None) -> None:
    """Draw the download buttons."""
    with st.expander("Download the numbers, the batch, the pictures", key="save", on_change="rerun") as panel:
        if not panel.open:
            return
        numbers, batch, picture = st.columns(3)
        for name in DOWNLOADS:
            _button(numbers, f"Numbers as {name.upper()}", f"analysis.{name}", partial(download, analysis, name))
        with batch:
            _batch(analysis)
        with picture:
            picture_buttons(_drawings(state, analysis, quantity, window))


def _batch(analysis: Analysis) -> None:
    logits = analysis.batch.logits
    if logits is not None and logits.nbytes > MAX_BYTES:
        st.caption(f"The batch has {logits.nbytes / 1e9:.1f} GB of logits: copy its file instead.")
        return
    for name in ("npz", "json") if logits is not None else ("npz", "json", "csv", "parquet"):
        _button(st, f"Batch as {name.upper()}", f"batch.{name}", partial(_written, analysis.batch, name))


def batch_button(state: State, name: str) -> None:
    """Draw a button that saves the batch on screen as a file of that format, unless it is too large to be worth it."""
    batch = None if state.source is None else state.source.current
    if batch is not None and (batch.logits is None or batch.logits.nbytes <= MAX_BYTES):
        make = partial(_written, batch, name)
        st.download_button(
            f"Batch as {name.upper()}", make, file_name=f"batch.{name}", on_click="ignore", key="download_instead"
        )


def _drawings(
    state: State, analysis: Analysis, quantity: str, window: tuple[int, int, int, int] | None
) -> dict[str, Callable[[], go.Figure]]:
    """Every picture of the page, by its name."""
    shown: dict[str, Any] = {"quantity": quantity, "window": window, "theme": theme()}
    drawings: dict[str, Callable[[], go.Figure]] = {"equation": partial(equation, analysis, **shown)}
    if window is not None:
        drawings["overview"] = partial(overview, analysis, **shown)
    explanation = None if state.cell is None else analysis.explain(*state.cell)
    if explanation is not None and (explanation.has_logits or explanation.classes):
        drawings["classes"] = partial(class_bars, explanation, theme=theme())
    return drawings


def picture_buttons(drawings: dict[str, Callable[[], go.Figure]]) -> None:
    """Draw the buttons that save pictures, by their names, and a choice where there are several."""
    names = list(drawings)
    name = (
        st.selectbox("Picture", names, key="save_picture", help="Each picture of the page.") if names[1:] else names[0]
    )
    draw = drawings[name]
    _button(st, "Picture as HTML", f"{name}.html", lambda: figure_html(draw()))
    if not can_draw_images():
        st.caption("PNG and SVG need `pip install 'lossviz[export]'` and a Chrome or Chromium.")
        return
    for image in IMAGES:
        _button(st, f"Picture as {image.upper()}", f"{name}.{image}", partial(_image, draw, image))


def _button(place: Any, label: str, name: str, make: Callable[[], bytes]) -> None:
    place.download_button(label, make, file_name=name, on_click="ignore", key=f"download_{name}", width="stretch")


def _image(draw: Callable[[], go.Figure], image: str) -> bytes:
    return figure_image(draw(), image)


def _written(batch: Batch, name: str) -> bytes:
    buffer = io.BytesIO()
    write(batch.fields(), buffer, name)
    return buffer.getvalue()
