"""Downloads: what a button gives when it is pressed."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lossviz import Batch, analyze, formats
from lossviz.ui import save
from tests.ui.driver import choose, edit_length, open_app, sample, shown, unfold


def made(app: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each button would build, by its file name."""
    builders: dict[str, Any] = {}

    def keep(*button: Any) -> None:
        builders[button[2]] = button[3]

    monkeypatch.setattr(save, "_button", keep)
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
        "lossviz.html",
    ]
    table = pd.read_csv(io.BytesIO(builders["analysis.csv"]()))
    assert table["unpadded_loss"].sum() / table["weight"].sum() == pytest.approx(13.2 / 10)
    document = json.loads(builders["analysis.json"]())
    assert (document["value"], document["divisor"]) == (analysis.value, 10.0)
    assert pq.read_table(io.BytesIO(builders["analysis.parquet"]())).num_rows == 15
    page = builders["lossviz.html"]()
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
    assert b"<script>alert" not in builders["lossviz.html"]()


def test_picture_is_of_the_quantity_on_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    app = choose(open_app(), quantity="entropy")
    assert b"entropy" in made(app, monkeypatch)["lossviz.html"]().split(b"Plotly.newPlot")[-1]
