"""A figure as a file: Chromium draws PNG and SVG."""

import importlib.util
import struct
from xml.etree import ElementTree

import pytest

from lossviz import analyze
from lossviz import export as exporting
from lossviz.export import IMAGES, can_draw_images, figure_image
from lossviz.figures import equation
from tests.golden import golden_batch
from tests.ui.driver import sample, unfold

NEEDED = "PNG and SVG need `pip install 'lossviz[export]'` and a Chrome or Chromium."


@pytest.fixture
def without_kaleido(monkeypatch):
    """As where `lossviz[export]` was not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "kaleido" else find(name))
    can_draw_images.cache_clear()
    yield
    can_draw_images.cache_clear()


def test_figure_image_png_has_twice_the_size_of_the_figure():
    figure = equation(analyze(golden_batch()))
    png = figure_image(figure, "png")
    assert png[:16] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    assert struct.unpack(">II", png[16:24]) == (2 * figure.layout.width, 2 * figure.layout.height)


def test_an_analysis_draws_its_own_equation():
    analysis = analyze(golden_batch())
    assert analysis.figure(theme="dark", width=900) == equation(analysis, theme="dark", width=900)


def test_figure_image_svg_holds_the_numbers_as_text():
    figure = equation(analyze(golden_batch()))
    root = ElementTree.fromstring(figure_image(figure, "svg"))  # noqa: S314
    assert (float(root.get("width")), float(root.get("height"))) == (figure.layout.width, figure.layout.height)
    words = " ".join(root.itertext())
    assert all(number in words for number in ("13.80", "0.70", "4.00"))


def test_images_can_be_drawn_where_there_is_a_browser():
    can_draw_images.cache_clear()
    assert can_draw_images()
    assert IMAGES == ("png", "svg")


def test_images_without_kaleido_are_not_offered(without_kaleido):
    assert not can_draw_images()
    app = sample("golden")
    unfold(app, "save")
    assert NEEDED in [caption.value for caption in app.caption]
    labels = [button.label for button in app.get("download_button")]
    assert [label for label in labels if label.startswith("Picture")] == ["Picture as HTML"]
