"""The page Train without a browser: predict, commit, then two runs frame by frame; trainings, doors, addresses."""

import json
import sys
import time

import numpy as np
import pytest

from lossviz import theatre
from lossviz.samples import sample_folder
from lossviz.theatre import ACTS, Job
from lossviz.ui.views.train import TOPICS
from tests.replay import SETTINGS, replaying
from tests.ui.driver import (
    click,
    decoded,
    go,
    header,
    key_of,
    nodes,
    number,
    open_app,
    open_page,
    picture,
    run,
    state,
    texts,
)

LENGTHS = np.array([11] * 5 + [8, 8, 5])
RAW = {side: np.load(sample_folder() / "theatre" / f"dates-{side}-adam.npz") for side in ("right", "stop-is-pad")}
STEPS = [0, 1, 2, 3, 5, 8, 12, 18, 26, 38, 55, 80, 110, 150, 200, 300]


def act(name=1, **query):
    return open_page("train", act=str(name), **query)


def predicted(name=1, **query):
    return click(act(name, **query), "train_show")


def has(app, key):
    return any(getattr(node, "key", None) == key for node in nodes(app.main))


def pick(app, key, value):
    next(field for field in app.button_group if field.key == key).set_value(value)
    return app


def heatmaps(app):
    return {
        trace["name"]: decoded(trace["z"])
        for trace in picture(app, "train_picture")["data"]
        if (trace.get("meta") or {}).get("select")
    }


def html(app):
    return "".join(node.proto.body for node in nodes(app.main) if node.type == "html")


def voice(app):
    line = next(node for node in nodes(app.main) if getattr(node, "key", None) == "voice" and hasattr(node, "proto"))
    return json.loads(line.proto.json)["text"]


def slide(app, step):
    return run(app.select_slider(key=key_of(app, "train_step")).set_value(step))


def said(app):
    return texts(app, "success", "info", "warning", "error")


def settled(app, *phases):
    """Run the page until the training is in one of these phases."""
    end = time.monotonic() + 60
    while theatre.jobs.look(SETTINGS, state(app).staging.viewer).phase not in phases:
        assert time.monotonic() < end
        time.sleep(0.05)
    return run(app)


@pytest.fixture(autouse=True)
def _one_drawing_a_run(monkeypatch):
    """The page does not run again by itself: a test says when."""
    monkeypatch.setattr(sys.modules["lossviz.ui.views.train"], "again", lambda _: None)


@pytest.fixture
def replay(monkeypatch):
    """Let the page train with workers that replay act 1."""
    made = []

    def use(**how):
        made.append(replaying(**how))
        monkeypatch.setattr(theatre, "jobs", made[-1])

    yield use
    for jobs in made:
        jobs.close()


def test_runs_are_shown_only_after_the_prediction_and_a_wrong_one_is_answered():
    app = act()
    assert app.header[0].value == "Act 1: Stop lost"
    assert "pad_id = model.stop_id" in html(app)
    assert not any(has(app, key) for key in ("train_frames", "train_verdict", "train_texts", "train_controls"))
    click(app, "train_check")
    assert said(app) == ["Predict first; Show me skips the prediction."]
    assert not has(app, "train_frames")
    wrong = next(option for option in ACTS[0].options if not option.right)
    click(pick(app, "train_answer_1", wrong.text), "train_check")
    right = next(option for option in ACTS[0].options if option.right)
    assert said(app) == [
        f"You predicted: {wrong.text}. {wrong.feedback}\n\n**{right.text}.** {right.feedback}\n\n{ACTS[0].lesson}"
    ]
    assert all(has(app, key) for key in ("train_frames", "train_verdict", "train_texts"))
    assert "1 ◐ 2 ○" in app.caption[0].value
    click(app, "train_start_over")
    click(pick(app, "train_answer_1", right.text), "train_check")
    assert said(app)[0].startswith(f"**Right.** {right.text}.")
    assert "1 ● 2 ○" in app.caption[0].value


def test_frames_are_those_of_the_recording_and_one_scale_holds_for_all(monkeypatch):
    app, ends, lines = predicted(), set(), []
    counts = np.arange(11) < LENGTHS[:, None]
    for step in (200, 0, 80):
        slide(app, step)
        found = heatmaps(app)
        for name, raw in zip(("right", "bug"), RAW.values(), strict=True):
            losses = np.where(counts, raw["losses"][STEPS.index(step)], np.nan)
            np.testing.assert_allclose(found[name], losses, rtol=1e-6)
        ends.add(picture(app, "train_picture")["layout"]["coloraxis"]["cmax"])
        lines.append((header(app, "train_lines")["shapes"][0]["x0"], header(app, "train_lines")["digest"]))
    assert lines == [(200, lines[0][1]), (0, lines[0][1]), (80, lines[0][1])]  # the line moves over the same curves
    np.testing.assert_allclose([*ends], [np.log(115) + 5])
    told, true = ([raw[name].reshape(16, -1)[11, 0] for raw in RAW.values()] for name in ("told", "true"))
    assert voice(app) == (
        f"Step 80: right prints {told[0]:.3g}, true {true[0]:.3g}; bug prints {told[1]:.3g}, true {true[1]:.3g}."
    )
    [verdict] = [text for text in texts(app, "markdown") if text.startswith("**Verdict after step 80**")]
    assert f"Does the number lie? **Yes**: prints {told[1]:.3f}, truth {true[1]:.3f}" in verdict
    assert f"Is the model harmed? **Yes**: {true[1] - true[0]:+.2f} nats against the right run" in verdict
    curves = {trace["name"]: decoded(trace["y"]) for trace in picture(app, "train_lines")["data"]}
    np.testing.assert_array_equal(curves["bug, printed"], RAW["stop-is-pad"]["reported"])
    np.testing.assert_array_equal(curves["right, true"], RAW["right"]["true"][:, 0])
    seen = heatmaps(app)["bug"]
    monkeypatch.setattr(
        sys.modules["lossviz.ui.train.frame_panel"], "two_runs", None
    )  # who saw a frame drew it for all
    np.testing.assert_array_equal(heatmaps(slide(predicted(), 80))["bug"], seen)


def test_selected_timestep_is_read_in_both_runs_and_opened_in_explore():
    app = predicted()
    app.session_state["train_picture"] = {"event": {"cell": [7, 4], "number": 1}}
    run(app)
    one, other = (raw["losses"][-1, 7, 4] for raw in RAW.values())
    assert f"Sequence 7, timestep 4, '<stop>': right {one:.4f}, bug {other:.4f} nats." in texts(app, "caption")
    app.session_state["train_picture"] = {"event": {"cell": [7, 9], "number": 2}}
    assert any("(padding): right" in text for text in texts(run(app), "caption"))
    go(app, "Explore")
    app.query_params["frame"] = "1.0-wrong-80"
    run(app)
    assert state(app).source.name == "Stop lost: bug, step 80"
    assert state(app).cell == (7, 9)
    losses = RAW["stop-is-pad"]["losses"][STEPS.index(80)]
    mean = losses[np.arange(11) < LENGTHS[:, None]].astype(float).mean()
    assert number(app) == f"{mean:.4f}"
    assert "frame" not in app.query_params


@pytest.mark.parametrize("frame", ["9.0-wrong-80", "1.1-right-80", "1.0-wrong-81", "1.0-left-80", "<b>", ""])
def test_frames_that_do_not_exist_open_nothing(frame):
    assert state(open_app(frame=frame)).source.door == "sample"


def test_play_shows_a_frame_after_the_other_and_stops_at_the_last():
    app = click(predicted(), "train_play")
    assert voice(app).startswith("Step 0:")
    staging, seen = state(app).staging, []
    while staging.playing:
        staging.due = 0.0
        run(app)
        seen.append(voice(app).split(":")[0])
    assert seen == [f"Step {step}" for step in STEPS[1:]]
    click(app, "train_play")
    slide(app, 26)
    assert (staging.playing, voice(app).split(":")[0]) == (False, "Step 26")


def test_act_with_two_optimizers_shows_both_and_the_verdicts_fill_the_table():
    app = predicted(3)
    assert "<b>3 Divided by B · T, adam</b>" in html(app)
    pick(app, "train_pair_3", "SGD")
    run(app)
    verdicts = [text for text in texts(app, "markdown") if text.startswith("**Verdict")]
    assert "Is the model harmed? **Yes**" in verdicts[0]
    click(app, "train_next_button")
    assert app.header[0].value == "Act 4: Space is the pad id"
    assert app.query_params["act"] == "4"
    click(app, "train_show")
    assert "Stop lost" not in html(app)
    assert html(app).count("3 Divided by B · T") == 2
    bar = next(field for field in app.button_group if field.key == key_of(app, "act"))
    run(bar.set_value("3"))
    assert (app.header[0].value, has(app, "train_frames")) == ("Act 3: Divided by B · T", True)


@pytest.mark.parametrize("name", [one.number for one in ACTS])
def test_every_act_has_its_recording_its_verdict_and_its_texts(name):
    app = predicted(name)
    assert said(app)[0].startswith("**This happens.**")
    assert len(said(app)) == 1
    assert set(heatmaps(app)) == {"right", "bug"}
    assert html(app).count("<tr>") >= 3 + 4 + 2
    assert TOPICS[name] in [node.proto.label for node in nodes(app.main) if node.type == "page_link"]


@pytest.mark.parametrize("name", ["99", "0", "<b>", "1.5", ""])
def test_addresses_of_no_act_open_the_first(name):
    assert act(name).header[0].value == "Act 1: Stop lost"


def test_training_gives_the_numbers_of_the_recording_and_is_found_again(replay):
    replay()
    app = click(predicted(), "train_start")
    viewer = app.query_params["live"]
    assert has(app, "train_stop")
    again = act(live=viewer)
    assert state(again).staging.viewer == viewer
    settled(click(again, "train_show"), "done")
    assert "Trained on this machine, 300 steps. Every number is the recording's, bit by bit." in said(again)
    np.testing.assert_allclose(heatmaps(again)["bug"], heatmaps(predicted())["bug"])
    click(again, "train_back")
    assert "live" not in again.query_params


def test_training_that_ends_while_the_page_is_drawn_is_said_to_have_ended(replay, monkeypatch):
    """The page was drawn as of a training that goes on, and nothing drew it again."""
    replay()
    stage = sys.modules["lossviz.ui.train.stage"]
    frames_panel = stage.frames_panel

    def once_it_has_ended(staging, *frame):
        while staging.viewer and theatre.jobs.look(SETTINGS, staging.viewer).live:
            time.sleep(0.02)
        frames_panel(staging, *frame)

    monkeypatch.setattr(stage, "frames_panel", once_it_has_ended)
    monkeypatch.setattr(sys.modules["lossviz.ui.views.train"], "again", stage.again)
    app = click(predicted(), "train_start")
    assert "Trained on this machine, 300 steps. Every number is the recording's, bit by bit." in said(app)
    assert not has(app, "train_stop")


def test_two_visitors_with_other_acts_wait_for_each_other_and_stop_only_their_own(replay):
    replay(seconds=60)
    one, other = click(predicted(1), "train_start"), click(predicted(5), "train_start")
    assert "Place 1 in the queue: another pair of models is being trained." in said(run(other))
    assert "Place" not in " ".join(said(run(one)))
    click(other, "train_stop")
    assert theatre.jobs.look(SETTINGS, state(one).staging.viewer).live
    click(one, "train_follow")
    assert has(one, "train_follow")
    began = time.monotonic()
    viewer = state(one).staging.viewer
    click(one, "train_stop")
    assert theatre.jobs.look(SETTINGS, viewer).phase == "stopped"
    assert time.monotonic() - began < 5
    assert has(one, "train_frames")


def test_training_that_differs_or_fails_says_so_and_the_recording_stays(replay, monkeypatch):
    replay(off=0.001)
    app = predicted()
    shipped = heatmaps(app)["bug"]
    app = settled(click(app, "train_start"), "done")
    np.testing.assert_allclose(heatmaps(app)["bug"] - shipped, np.where(np.isnan(shipped), np.nan, 0.001), atol=1e-5)
    assert any("No number is further than 0.001 nats from the recording's" in text for text in said(app))
    app = predicted(live="<script>")
    assert len(state(app).staging.viewer) == 12
    monkeypatch.setattr(theatre.jobs, "look", lambda *_: Job("failed", problem="<b>No memory</b>"))
    run(app)
    assert "<b>No memory</b>" in said(app)
    assert has(app, "train_frames")
    assert app.button(key="train_again").label == "Try again"
