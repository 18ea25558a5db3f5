"""Downloads: what a button gives when it is pressed."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lossviz import Batch, analyze, formats
from lossviz.ui.shared import downloads_panel
from tests.ui.driver import choose, edit_length, open_app, run, sample, select, shown, unfold


def made(app: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each button would build, by its file name."""
    builders: dict[str, Any] = {}

    def keep(*button: Any) -> None:
        builders[button[2]] = button[3]

    monkeypatch.setattr(downloads_panel, "_button", keep)
    unfold(app, "save")
    return builders


def test_every_button_builds_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers in three formats, the batch in two, the picture in HTML."""
    app = edit_length(sample("golden"), 2, 1)
    builders = made(app, monkeypatch)
    analysis = shown(app)
    assert list(builders)[:6] == [
        "analysis.csv",
        "analysis.json",
        "analysis.parquet",
        "batch.npz",
        "batch.json",
        "equation.html",
    ]
    table = pd.read_csv(io.BytesIO(builders["analysis.csv"]()))
    assert table["unpadded_loss"].sum() / table["weight"].sum() == pytest.approx(13.2 / 10)
    document = json.loads(builders["analysis.json"]())
    assert (document["value"], document["divisor"]) == (analysis.value, 10.0)
    assert pq.read_table(io.BytesIO(builders["analysis.parquet"]())).num_rows == 15
    page = builders["equation.html"]()
    assert page.startswith((b"<html>", b"<!"))
    assert (page.count(b"<script src"), page.count(b"<link")) == (0, 0)


@pytest.mark.parametrize("name", ["batch.npz", "batch.json"])
def test_downloaded_batch_opens_with_its_edits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = edit_length(sample("golden"), 2, 1)
    data = made(app, monkeypatch)[name]()
    batch = Batch.from_arrays(**formats.read(data, name=name))
    assert batch.lengths.tolist() == [5, 4, 1]
    assert analyze(batch).value == shown(app).value


@pytest.mark.parametrize(
    "name", ["logits-nan", "logits-inf", "tokens-hostile", "label-2-to-the-32", "length-fractional"]
)
def test_odd_content_downloads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file can be read back, NaN and attacks included."""
    builders = made(sample(name), monkeypatch)
    assert len(pd.read_csv(io.BytesIO(builders["analysis.csv"]()), keep_default_na=False)) > 0
    json.loads(builders["analysis.json"]())
    batch = Batch.from_arrays(**formats.read(builders["batch.npz"](), name="batch.npz"))
    again = Batch.from_arrays(**formats.read(builders["batch.json"](), name="batch.json"))
    np.testing.assert_array_equal(batch.logits, again.logits)
    assert b"<script>alert" not in builders["equation.html"]()


def test_picture_is_of_the_quantity_on_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    app = choose(open_app(), quantity="entropy")
    assert b"entropy" in made(app, monkeypatch)["equation.html"]().split(b"Plotly.newPlot")[-1]


def test_every_picture_of_the_page_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The equation always; the classes of the selected timestep; the overview of a large batch."""
    app = select(sample("golden"), 0, 2)
    assert "equation.html" in made(app, monkeypatch)
    assert app.selectbox(key="save_picture").options == ["equation", "classes"]
    run(app.selectbox(key="save_picture").select("classes"))
    assert b"the likeliest classes" in made(app, monkeypatch)["classes.html"]()


def test_batch_too_large_to_download_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    app = sample("golden")
    monkeypatch.setattr(downloads_panel, "MAX_BYTES", 100)
    assert "batch.npz" not in made(app, monkeypatch)
    assert "copy its file instead" in " ".join(caption.value for caption in app.caption)
