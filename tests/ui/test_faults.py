"""What goes wrong around a page: extreme numbers, files that change, parts that can't be drawn, a restarted server."""

import io
import sys
from typing import Any

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates

from lossviz.edits import Edit
from lossviz.formats import write
from lossviz.settings import FILE_VARIABLE
from lossviz.ui.shared.widgets import escaped
from tests.ui import driver
from tests.ui.driver import (
    address,
    click,
    heatmaps,
    key_of,
    number,
    open_app,
    open_page,
    run,
    select,
    state,
    texts,
    upload,
)  # fmt: skip

MAPPED = (4, 64, 1024)  # 1 MiB of float32


@pytest.fixture
def wide() -> Any:
    """The app with a batch of float64 logits on it."""
    stream = io.BytesIO()
    write({"logits": np.zeros((2, 3, 4)), "targets": np.ones((2, 3), int)}, stream, "npz")
    app = open_app()
    app.session_state["door"] = "Open"
    return upload(run(app), batch_npz=stream.getvalue())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what it prints is inf
def test_a_logit_of_1e308_leaves_the_picture_and_undo(wide):
    state(wide).source.make(Edit("logits", (0, 0, 0), 1e308))
    app = select(wide, 0, 0)
    assert number(app) == "1.667e+307"
    assert heatmaps(app)[0][0, 0] == pytest.approx(3e38)
    assert number(click(app, "undo")) == "1.3863"


def test_a_link_with_a_logit_of_1e308_opens():
    app = open_app()
    state(app).source.make(Edit("logits", (0, 0, 0), 3e38))
    again = open_app(view=address(run(app)))
    assert state(again).source.edits == (Edit("logits", (0, 0, 0), 3e38),)
    assert number(click(again, "undo")) == "1.6970"


@pytest.fixture
def mapped(tmp_path, monkeypatch) -> Any:
    """The app on a mapped file, and the file."""
    path = tmp_path / "run.npz"
    np.savez(path, logits=np.zeros(MAPPED, np.float32), targets=np.ones(MAPPED[:2], int))
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return open_app(), path


def test_a_file_that_changed_is_said_beside_the_picture_that_is_still_valid(mapped):
    app, path = mapped
    before = number(app)
    np.savez(path, logits=np.ones((1, 2, 3), np.float32), targets=np.ones((1, 2), int))
    app = select(app, 0, 0)
    assert number(app) == before == "6.9315"
    assert heatmaps(app)[0].shape == MAPPED[:2]
    assert texts(app, "error") == ["`run.npz` changed on disk: open it again."]


def test_a_part_that_cannot_be_drawn_leaves_the_others(monkeypatch):
    app = open_app()
    state(app).source.make(Edit("lengths", (0,), 2.0))

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(sys.modules["lossviz.ui.explore.picture_panel"], "equation_panel", fail)
    app.run()
    [said] = texts(app, "error")
    assert said == (
        "The picture can't be drawn (ZeroDivisionError: a mistake). This is a mistake in lossviz: please report it. "
        "Undo still works."
    )
    assert [error.value for error in app.exception] == []
    monkeypatch.undo()
    assert number(click(app, "undo")) == "1.6970"


PARTS = {
    "explore": ["badge", "problems_panel", "cell_panel", "rows_panel", "mask_panel", "save_panel", "script_panel"],
    "doctor": ["repairs_panel", "doctor_panel", "outcomes_panel", "catalogue_panel"],
    "reductions": ["badge", "conventions_panel", "split_panel", "script_panel"],
    "identify": ["badge", "answer_panel"],
}


@pytest.mark.parametrize("page", PARTS)
def test_every_part_of_a_page_that_cannot_be_drawn_is_said_in_its_place(monkeypatch, page):
    def fail(*_: Any, **__: Any) -> None:
        raise OverflowError("a mistake")

    for part in PARTS[page]:
        monkeypatch.setattr(sys.modules[f"lossviz.ui.views.{page}"], part, fail)
    monkeypatch.setattr(driver, "BROKEN", "nothing")  # the driver fails on such a sentence
    app = open_page(page)
    said = [line for line in texts(app, "error") if "OverflowError: a mistake" in line]
    assert len(said) == len(PARTS[page])
    assert app.get("page_link")  # what follows the parts


def test_what_was_chosen_while_the_server_restarted_wins_over_the_address():
    """The browser meets a new server, with its address of before and what its widgets show."""
    old = open_app()
    kept = address(old)
    reduction, quantity = key_of(old, "reduction"), "quantity"
    old.selectbox(key=reduction).select("language_model")
    old.selectbox(key=quantity).select("entropy")
    sent: WidgetStates = old._tree.get_widget_states()
    new = type(old).from_file(old._script_path, default_timeout=60)
    new.query_params["view"] = kept
    new._run(sent)
    assert new.selectbox(key=key_of(new, "reduction")).value == "language_model"
    assert new.selectbox(key=quantity).value == "entropy"
    assert state(new)._analysis.settings.reduction == "language_model"


@pytest.mark.parametrize("text", ["http://a.b", "www.a.b", "a@b.c", ":material/home:", ":smile:"])
def test_escaped_text_holds_nothing_that_comes_alive(text):
    """Streamlit looks for these after Markdown has taken its backslashes away; the browser test sees what it makes."""
    shown = escaped(text).replace("\\", "")
    assert shown.replace("\u2060", "") == text
    assert text not in shown
