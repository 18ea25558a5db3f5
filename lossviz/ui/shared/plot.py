"""Show a Plotly figure in the page, and select a cell [b, t] of its heatmaps by mouse or keyboard.

Streamlit's own chart returns nothing for a clicked heatmap cell and is re-created whenever the data change. This
component keeps one drawing and hands every new figure to `Plotly.react`, so that zoom and selection stay. Why this way,
and what the others cost: docs/decisions/0004-plot-component.md.
"""

import hashlib
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import isfinite, isnan
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from lossviz.ui.session.state import read_widget, write_widget

__all__ = ["Cell", "Picture", "head_start", "kept_picture", "plot", "plot_width", "selected_cell"]

Cell = tuple[int, int]

_HERE = Path(__file__).parent
_HTML = """
<div class="lossviz-plot">
  <div class="lossviz-plot-figure"></div>
  <svg class="lossviz-plot-paint" aria-hidden="true"></svg>
  <svg class="lossviz-plot-overlay" aria-hidden="true"></svg>
  <div class="lossviz-plot-terms"></div>
  <input class="lossviz-plot-field" autocomplete="off" spellcheck="false" hidden>
  <div class="lossviz-plot-error" role="alert" hidden></div>
  <div class="lossviz-plot-live" aria-live="polite"></div>
  <details class="lossviz-plot-help">
    <summary>By mouse and keys</summary>
    <dl>
      <dt>Click, arrow keys</dt><dd>select a cell; <kbd>Esc</kbd> clears</dd>
      <dt class="of-weights">Click or draw in the mask, <kbd>Space</kbd></dt>
      <dd class="of-weights">count a timestep, or not</dd>
      <dt class="of-reading">Click or pull in “what is read”, <kbd>Space</kbd></dt>
      <dd class="of-reading">read that timestep</dd>
      <dt>Pull a sequence's end, <kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>its length</dd>
      <dt class="of-targets">Double click a loss, <kbd>Enter</kbd> or <kbd>T</kbd></dt>
      <dd class="of-targets">its target: a token or an id</dd>
      <dt class="of-weights">Double click in the mask, <kbd>W</kbd></dt><dd class="of-weights">its weight</dd>
      <dt class="of-targets">Double click z in the line on top, <kbd>L</kbd></dt>
      <dd class="of-targets">the logit of its target</dd>
      <dt><kbd>Ctrl</kbd> + <kbd>Z</kbd>, <kbd>Ctrl</kbd> + <kbd>Y</kbd></dt><dd>undo, redo</dd>
    </dl>
  </details>
</div>
<div class="lossviz-plot-table"></div>
"""
_HEIGHT = 450
_HEAD_START = 0.04  # seconds


@dataclass(frozen=True)
class Picture:
    """A figure as the browser gets it: `drawing` is its JSON, `extent` names its rows and columns."""

    drawing: bytes
    digest: str
    height: float
    width: float | None
    extent: str

    @classmethod
    def of(cls, figure: go.Figure) -> "Picture":
        """What the browser gets of a figure."""
        drawing, size = figure.to_json(validate=False).encode(), figure.layout
        digest = hashlib.blake2b(drawing, digest_size=8).hexdigest()
        return cls(drawing, digest, size.height or _HEIGHT, size.width, _extent(figure))


def kept_picture(key: str, of: tuple[Any, ...], draw: Callable[[], go.Figure]) -> Picture:
    """The picture that this tab drew last for the plot `key`, if it was `of` the same things; else a new one.

    For what stays while only its `shapes` move. Things are the same if they are equal; an analysis equals itself alone.
    """
    kept: tuple[tuple[Any, ...], Picture] | None = read_widget(f"{key}:picture")
    if kept is None or kept[0] != of:
        kept = of, Picture.of(draw())
        write_widget(f"{key}:picture", kept)
    return kept[1]


def plot(
    figure: go.Figure | Picture,
    *,
    key: str,
    label: str,
    cell: Cell | None = None,
    height: int | None = None,
    shapes: list[dict[str, Any]] | None = None,
    selectable: bool = True,
    live: dict[str, Any] | None = None,
    terms: dict[str, Any] | None = None,
    on_event: Callable[[], None] | None = None,
) -> Cell | None:
    """Draw a figure and return the cell [b, t] that is selected now, or None.

    What the user did since the last run wins; otherwise `cell` does, so that `cell = plot(..., cell=cell)` is the whole
    protocol. A cell is the (y, x) of the heatmaps whose `meta` is `{"select": True}`, and is outlined in all of them.
    Zoom stays while the rows and columns and the figure's own `layout.uirevision` stay the same.

    Args:
        figure: any figure, or one that was kept; text from users in it is escaped already.
        key: the name of the component in the page, one for each plot.
        label: what the picture shows, for people who can't see it.
        cell: the cell that the app has selected.
        height: in pixels; by default the figure's own.
        shapes: Plotly's, in place of the figure's own; where only they differ from what is drawn, only they are moved.
        selectable: False for a picture in which nothing can be selected.
        live: of `lossviz.ui.explore.hand`: what may be edited in the picture, and the numbers to draw it at once.
        terms: of `lossviz.ui.explore.terms`: the arithmetic of the selected cell, in one line over the picture.
        on_event: called when the user has done something in the picture, before the page is drawn.
    """
    cell = selected_cell(key, cell) if selectable else None
    picture = figure if isinstance(figure, Picture) else Picture.of(figure)
    header = {
        "name": key,
        "label": label,
        "height": height or picture.height,
        "width": picture.width,
        "selectable": selectable,
        "cell": cell,
        "seen": _seen(key),
        "extent": picture.extent,
        "digest": picture.digest,
        "shapes": shapes,
        "live": live,
        "terms": _as_json(terms),
    }
    _mount(key, header, picture.drawing, on_event or _nothing)
    return cell


def selected_cell(key: str, cell: Cell | None) -> Cell | None:
    """Return the selected cell of the plot `key` before it is drawn: the user's if that is news, else `cell`.

    For a page that shows the cell above its plot. The result is to be passed on as `plot(..., cell=...)`.
    """
    event = dict(read_widget(key) or {}).get("event")
    if not isinstance(event, dict) or type(event.get("number")) is not int or event["number"] == _seen(key):
        return cell
    write_widget(_seen_key(key), event["number"])
    return _as_cell(event.get("cell"))


def plot_width(key: str, default: int) -> int:
    """The width in pixels at which the browser last drew the plot `key`; `default` before that."""
    width = dict(read_widget(key) or {}).get("width")
    return min(max(int(width), 300), 6000) if isinstance(width, int | float) else default


def head_start() -> None:
    """Let the browser draw what it was sent so far, before the rest of the page keeps it busy."""
    time.sleep(_HEAD_START)


def _mount(key: str, header: dict[str, Any], drawing: bytes, on_event: Callable[[], None]) -> None:
    head = json.dumps(header | {"library": _library_url()}, allow_nan=False).encode()
    _component()(
        key=key, data=struct.pack("<I", len(head)) + head + drawing, on_event_change=on_event, on_width_change=_nothing
    )


def _nothing() -> None:
    """A placeholder callback: a component keeps only the events that have one."""


def _seen_key(key: str) -> str:
    return f"{key}:seen"


def _seen(key: str) -> int:
    number: int = read_widget(_seen_key(key), 0)
    return number


def _as_cell(value: Any) -> Cell | None:
    """Read what the browser sent; anything but two integers is no cell."""
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(type(number) is int for number in value):
        return None
    return value[0], value[1]


def _as_json(value: Any) -> Any:
    """For JSON, which knows no NaN and no ∞: their names in JavaScript."""
    if isinstance(value, dict):
        return {name: _as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    if not isinstance(value, float) or isfinite(value):
        return value
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _extent(figure: go.Figure) -> str:
    """Name the rows and columns that can be selected: while the name stays, zoom stays."""
    grids = [trace for trace in figure.data if trace.type == "heatmap" and trace.z is not None]
    return "; ".join(f"{_ends(trace.y, len(trace.z))} x {_ends(trace.x, len(trace.z[0]))}" for trace in grids[:1])


def _ends(numbers: Any, count: int) -> str:
    return f"0 to {count - 1}" if numbers is None else f"{numbers[0]} to {numbers[-1]}"


@cache
def _component() -> Any:
    parts = ("load", "scale", "grid", "cell", "timestep", "model", "paint", "field", "hand", "terms", "table")
    names = (*(f"plot_{part}.js" for part in parts), "plot.js")
    code = "\n".join((_HERE / name).read_text("utf-8") for name in names)
    css = (_HERE / "plot.css").read_text("utf-8")
    # In a shadow root plotly.js would not find its own style sheet, which it puts into the head of the page.
    return st.components.v2.component("lossviz.plot", html=_HTML, css=css, js=code, isolate_styles=False)


def _library_url() -> str:
    """Serve the plotly.js that plotly.py ships from where it lies, under Streamlit's route for component files."""
    manager = get_bidi_component_manager()
    if manager.get("lossviz.plotly") is None:
        manifest = ComponentManifest("lossviz", plotly.__version__, [ComponentConfig("plotly", "package_data")])
        manager.register_from_manifest(manifest, Path(plotly.__file__).parent)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/_stcore/bidi-components/lossviz.plotly/plotly.min.js?v={plotly.__version__}"
