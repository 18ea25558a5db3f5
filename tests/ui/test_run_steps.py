"""A recorded run in the app: a strip of its steps in the sidebar, and the chosen step's batch on all pages."""

import numpy as np
import pytest

import lossviz
from tests.ui.driver import (
    address,
    choose,
    decoded,
    go,
    key_of,
    number,
    open_app,
    picture,
    run,
    state,
    texts,
)

STEPS = (0, 10, 20)
TARGETS = np.array([[1, 2, 3], [2, 1, 0]])
PRINTED = {0: "2.5000", 10: "1.5000", 20: None}


def losses_of(step):
    return np.array([[2.0, 1.0, 0.5], [1.0, 3.0, 9.0]]) / (1 + step)


def record(folder, logits):
    with lossviz.Recorder(folder, every=10, pad_id=0) as recorder:
        for step in STEPS:
            given = {"losses": losses_of(step)}
            if logits:  # the softmax of (0, 0, 0, 0) plus c at the target costs ln(1 + 3 e^-c)
                lifted = -np.log(np.expm1(losses_of(step)) / 3)
                given = {"logits": np.eye(4)[TARGETS] * lifted[..., None]}
            recorder.step(step=step, targets=TARGETS, reported=PRINTED[step], **given)
    return folder


@pytest.fixture(params=[True, False], ids=["logits", "losses"])
def folder(request, tmp_path, monkeypatch):
    path = record(tmp_path / "run", request.param)
    monkeypatch.setenv("LOSSVIZ_FILE", str(path))
    return path


def pick(app, place):
    """Click on a cell of the strip."""
    seen = app.session_state["run_strip:seen"] + 1 if "run_strip:seen" in app.session_state else 1
    app.session_state["run_strip"] = {"event": {"cell": [0, place], "number": seen}}
    return run(app)


def mean_of(step):
    return f"{losses_of(step)[TARGETS != 0].mean():.4f}"


def test_run_opens_at_its_last_step_with_a_strip_of_all(folder):
    app = open_app()
    assert texts(app, "error") == []
    assert number(app) == mean_of(20)
    assert app.selectbox(key=key_of(app, "run_step")).options == [
        f"0 · 2.5000, mean {mean_of(0)}",
        f"10 · 1.5000, mean {mean_of(10)}",
        f"20 · mean {mean_of(20)}",
    ]
    drawn = {trace["name"]: decoded(trace["y"] if trace["type"] == "scatter" else trace["z"]) for trace in strip(app)}
    means = [losses_of(step)[TARGETS != 0].mean() for step in STEPS]
    np.testing.assert_allclose(drawn["mean"], [means], rtol=1e-5)
    np.testing.assert_allclose(drawn["printed"][:2], [2.5, 1.5])


def strip(app):
    return picture(app, "run_strip", app.sidebar)["data"]


def test_step_chosen_in_the_list_or_the_strip_is_on_all_pages(folder):
    app = choose(open_app(), run_step="0")
    assert number(app) == mean_of(0)
    assert number(pick(app, 1)) == mean_of(10)
    assert app.selectbox(key=key_of(app, "run_step")).value == "10"
    for page in ("Doctor", "Reductions", "Identify"):
        assert texts(go(app, page), "error") == []
    assert state(app).source.name == "run, step 10"
    assert state(app).source.current.reported == "1.5000"
    assert number(go(app, "Explore")) == mean_of(10)


def test_steps_of_a_run_share_the_chosen_mask(folder):
    """They are one batch to look through: walking along the strip takes no choice back."""
    app = choose(open_app(), run_step="0", mask="none", reduction="positions")
    choose(app, run_step="10")
    assert (app.session_state["mask"], app.session_state["reduction"]) == ("none", "positions")


def test_link_restores_the_step(folder):
    first = choose(open_app(), run_step="10")
    second = open_app(view=address(first))
    assert (number(second), second.selectbox(key=key_of(second, "run_step")).value) == (mean_of(10), "10")


def test_runs_and_files_open_together(folder, tmp_path, monkeypatch):
    other = record(tmp_path / "other" / "run", logits=False)
    np.savez(tmp_path / "batch.npz", logits=np.zeros((1, 2, 4)), targets=[[1, 2]])
    monkeypatch.setenv("LOSSVIZ_FILE", f"{folder}\n{other}\n{tmp_path / 'batch.npz'}")
    app = open_app()
    opened = app.selectbox(key=key_of(app, "opened_1"))
    assert opened.options == ["batch.npz", "run", str(other)]
    assert number(app) == f"{np.log(4):.4f}"
    assert number(run(opened.select(str(other)))) == mean_of(20)


def test_damaged_run_is_a_sentence(folder):
    [shard] = folder.glob("*.parquet")
    shard.write_bytes(shard.read_bytes()[:-40])
    assert texts(open_app(), "error") == [
        f"`{shard.name}` was cut off or damaged. Restore it from a copy, or delete it.",
    ]
