"""Downloads: the analysis, the batch as it is on screen, and the picture. Bytes are made when a button is pressed."""

import io
from collections.abc import Callable
from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.export import IMAGES, can_draw_images, figure_html, figure_image
from lossviz.figures import equation
from lossviz.formats import write
from lossviz.tables import DOWNLOADS, download
from lossviz.ui.equation import theme

__all__ = ["save_panel"]


def save_panel(analysis: Analysis, quantity: str, window: tuple[int, int, int, int] | None) -> None:
    """Draw the download buttons."""
    with st.expander("Download the numbers, the batch, the picture", key="save", on_change="rerun") as panel:
        if not panel.open:
            return
        numbers, batch, picture = st.columns(3)
        for name in DOWNLOADS:
            _button(numbers, f"Numbers as {name.upper()}", f"analysis.{name}", partial(download, analysis, name))
        _button(batch, "Batch as NPZ", "batch.npz", partial(_batch_bytes, analysis, "npz"))
        _button(batch, "Batch as JSON", "batch.json", partial(_batch_bytes, analysis, "json"))
        draw = partial(equation, analysis, quantity=quantity, window=window, theme=theme())
        _button(picture, "Picture as HTML", "lossviz.html", lambda: figure_html(draw()))
        if can_draw_images():
            for image in IMAGES:
                _button(picture, f"Picture as {image.upper()}", f"lossviz.{image}", partial(_image, draw, image))
        else:
            picture.caption("PNG and SVG need `pip install 'lossviz[export]'` and a Chrome or Chromium.")


def _button(place: st.delta_generator.DeltaGenerator, label: str, name: str, make: Callable[[], bytes]) -> None:
    place.download_button(label, make, file_name=name, on_click="ignore", key=f"download_{name}", width="stretch")


def _image(draw: Callable[[], object], image: str) -> bytes:
    return figure_image(draw(), image)


def _batch_bytes(analysis: Analysis, name: str) -> bytes:
    buffer = io.BytesIO()
    write(analysis.batch.fields(), buffer, name)
    return buffer.getvalue()
