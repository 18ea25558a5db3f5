"""The page Runs: which step, which sequence, which token; and how its choice gets to the other pages."""

from html import unescape

import numpy as np
import pytest

import lossviz
from lossviz.edits import Edit
from lossviz.ui.compare.choice_panel import SAME
from lossviz.ui.link import pack
from lossviz.ui.shared.edit_history import make_edits
from tests.ui.driver import (
    address,
    choose,
    click,
    decoded,
    go,
    key_of,
    number,
    open_app,
    open_page,
    picture,
    run,
    state,
    texts,
)

WORDS = ["<pad>", "<eos>", "tea", "cup", "dog", "cat"]
POOL = np.array([[2, 3, 1, 0], [4, 5, 2, 1], [5, 1, 0, 0]])
STEPS = tuple(range(0, 60, 10))


def losses_of(step):
    """The second sequence gets worse from step 30 on; padding costs a lot."""
    base = np.array([[1.13, 2.31, 0.94, 7.9], [1, 1, 1, 1], [0.57, 0.49, 9.2, 8.1]])
    return base * np.array([1, 4 if step >= 30 else 1, 1])[:, None]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Six steps, the sequences of each in another order; up to step 20 padding counts in the printed number."""
    path = tmp_path / "run"
    with lossviz.Recorder(path, every=10, pad_id=0, eos_id=1, vocabulary=WORDS) as recorder:
        for step in STEPS:
            order = np.random.default_rng(step).permutation(3)
            losses, targets = losses_of(step)[order], POOL[order]
            printed = losses.mean() if step <= 20 else losses[targets != 0].mean()
            recorder.step(step=step, targets=targets, losses=losses, reported=f"{printed:.6f}")
    monkeypatch.setenv("LOSSVIZ_FILE", str(path))
    return path


def pick(app, plot, *cell):
    """Select a cell of a plot, as the component reports it."""
    seen = app.session_state[f"{plot}:seen"] + 1 if f"{plot}:seen" in app.session_state else 1
    app.session_state[plot] = {"event": {"cell": list(cell), "number": seen}}
    return run(app)


def traces(app, plot):
    return {trace["name"]: trace for trace in picture(app, plot)["data"]}


def test_runs_page_without_a_run_says_how_to_get_one():
    app = open_page("runs")
    [text] = texts(app, "info")
    assert text.startswith("No recorded run is open. Add one line to a training script")
    assert "lossviz app run/" in text


def test_runs_page_leads_from_the_run_to_the_timestep_that_got_worse(folder):
    """Largest rise → its strip → its trajectory → the step on all pages, with the cell selected."""
    app = open_page("runs")
    assert texts(app, "error", "exception") == []
    means = [losses_of(step)[POOL != 0].mean() for step in STEPS]
    np.testing.assert_allclose(decoded(traces(app, "run_plot")["mean"]["z"]), [means], rtol=1e-6)
    choose(app, runs_order="changed")
    strips = traces(app, "run_strips")["loss"]
    np.testing.assert_allclose(decoded(strips["z"])[0], np.sqrt([3, 3, 3, 3]), rtol=1e-6)
    assert picture(app, "run_strips")["layout"]["yaxis"]["ticktext"] == ["3.0000", "0.0000", "0.0000"]
    assert "Select a row to see the sequence at every step." in texts(app, "caption")
    pick(app, "run_strips", 0, 2)
    path = decoded(traces(app, "run_trajectory")["loss"]["z"])
    np.testing.assert_allclose(path, [[1] * 4] * 3 + [[4] * 4] * 3)
    pick(app, "run_trajectory", 3, 2)
    assert app.selectbox(key=key_of(app, "run_step")).value == "30"
    row = np.random.default_rng(30).permutation(3).tolist().index(1)
    assert (state(app).source.name, state(app).cell) == ("run, step 30", (row, 2))
    assert "Open step 30 in Explore" in [link.proto.label for link in app.get("page_link")]
    pick(app, "run_trajectory", 3, 1)
    assert state(app).cell == (row, 1)
    pick(app, "run_trajectory", 3, 2)
    go(app, "Explore")
    assert number(app) == f"{losses_of(30)[POOL != 0].mean():.4f}"
    assert texts(app, "markdown")[0] == f"## Sequence {row}, timestep 2: target tea"


def test_runs_page_puts_the_step_of_the_ribbon_on_all_pages(folder):
    app = pick(open_page("runs"), "run_plot", 0, 1)
    assert state(app).source.name == "run, step 10"
    assert texts(app, "error") == []


def test_runs_page_checks_all_steps_and_says_what_explains_the_numbers(folder):
    app = click(open_page("runs"), "run_check_all")
    run(app)
    said = texts(app, "markdown")
    assert any("PAD01, in 3 of 6 steps, first at step 0: " in text.replace("*", "") for text in said)
    [numbers] = [text for text in said if "printed numbers" in text and "explains" in text]
    assert numbers.replace("*", "").split("  \n") == [
        "PAD01 explains 3 of 6 printed numbers, first at step 0: Padding counts.",
        "C03 explains 3 of 6 printed numbers, first at step 30: Mean over the timesteps that count.",
    ]
    assert decoded(traces(app, "run_plot")["PAD01"]["x"]).tolist() == [0, 1, 2]


def test_runs_page_filters_by_token(folder):
    app = open_page("runs")
    run(app.text_input(key=key_of(app, "runs_token")).set_value("dog"))
    assert len(decoded(traces(app, "run_strips")["loss"]["z"])) == 1
    run(app.text_input(key=key_of(app, "runs_token")).set_value("<b>zebra</b>"))
    assert "The run's vocabulary has no token `<b>zebra</b>`. Type it as it is written there, or its id." in texts(
        app, "caption"
    )
    [note] = picture(app, "run_strips")["layout"]["annotations"]
    assert note["text"] == "No sequence has these tokens and this length. Widen the filters."


def test_runs_page_is_restored_by_its_link(folder):
    app = pick(choose(open_page("runs"), runs_order="spread", runs_split="20"), "run_strips", 1, 0)
    again = open_page("runs", view=address(app))
    for name in ("runs_order", "runs_split"):
        assert again.selectbox(key=key_of(again, name)).value == app.selectbox(key=key_of(app, name)).value
    one, other = (decoded(traces(page, "run_trajectory")["loss"]["z"]) for page in (app, again))
    np.testing.assert_array_equal(one, other)


def test_runs_page_offers_the_tables(folder):
    app = open_page("runs")
    app.session_state["run_save"] = True
    run(app)
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == [
        "Steps as CSV",
        "Sequences as CSV",
        *(f"By {name} as CSV" for name in ("position", "token", "length", "rank", "weight")),
    ]


def test_runs_page_of_a_shard_that_was_damaged_is_a_sentence(folder):
    app = open_app()
    [shard] = folder.glob("*.parquet")
    shard.write_bytes(shard.read_bytes()[:200])
    go(app, "Runs")
    assert len(texts(app, "error")) == 1
    assert texts(app, "error")[0].endswith("Restore it from a copy.")


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """Two steps of the same batch; at the second the last timestep of each sequence no longer counts."""
    with lossviz.Recorder(tmp_path / "eval", every=1, vocabulary=WORDS) as recorder:
        for step, lengths in enumerate(([3, 4, 2], [2, 3, 1])):
            recorder.step(step=step, targets=POOL, losses=losses_of(30 * step), lengths=lengths)
    monkeypatch.setenv("LOSSVIZ_FILE", str(tmp_path / "eval"))


def metrics_of(app):
    return {metric.label: metric.value for metric in app.metric}


def test_compare_page_explains_the_difference_of_two_steps(watched):
    app = open_page("compare")
    assert [app.selectbox(key=key_of(app, name)).value for name in ("compare_a", "compare_b")] == [
        "eval, step 0",
        "eval, step 1",
    ]
    shown = metrics_of(app)
    a, b = losses_of(0)[POOL != 0].mean(), (1.13 + 2.31 + 12 + 0.57) / 6
    assert (shown["A"], shown["B"]) == (f"{a:.4f}", f"{b:.4f}")
    parts = [
        float(shown[f"From the {name}"].replace("−", "-").replace("+", "")) for name in ("losses", "mask", "divisor")
    ]
    assert sum(parts) == pytest.approx(b - a, abs=2e-4)
    [sentence] = [text for text in texts(app, "markdown") if "→" in text]
    assert sentence.startswith(f"{a:.4f} → {b:.4f} nats, +{b - a:.4f}: ")
    assert decoded(traces(app, "compare_map")["loss"]["z"]).shape == (3, 4)
    click(app, "compare_swap")
    assert (metrics_of(app)["A"], metrics_of(app)["B"]) == (f"{b:.4f}", f"{a:.4f}")
    again = open_page("compare", view=address(app))
    assert metrics_of(again) == metrics_of(app)


def test_compare_page_refuses_other_sequences_in_one_sentence(watched):
    app = choose(open_page("compare"), compare_b="golden (sample)")
    [error] = texts(app, "error")
    assert error.startswith(("`a` and `b` must", "`a` and `b` hold"))
    assert metrics_of(app) == {}


def test_compare_page_compares_an_edited_batch_of_a_file(watched):
    """A sample with its own edits is another batch than the sample."""
    app = choose(open_page("compare"), compare_a="golden (sample)", compare_b="golden (sample)")
    assert texts(app, "info") == [SAME]
    assert metrics_of(app) == {}


def test_compare_page_starts_with_a_pair_that_it_can_compare():
    app = open_page(
        "compare",
        view=pack(
            {"door": "Sample", "sample": "language-model-untrained", "source": ["sample", "language-model-untrained"]}
        ),
    )
    assert [app.selectbox(key=key_of(app, name)).value for name in ("compare_a", "compare_b")] == [
        "language-model-untrained (sample)",
        "language-model-half-trained (sample)",
    ]
    assert texts(app, "error") == []
    app = open_page("compare", view=pack({"door": "Sample", "sample": "golden", "source": ["sample", "golden"]}))
    assert texts(app, "info") == [SAME]


def test_compare_page_compares_an_edited_batch_with_how_it_came():
    app = open_app()
    make_edits(state(app), state(app).source, [Edit("lengths", (0,), 1)])
    go(app, "Compare")
    before, after = (app.selectbox(key=key_of(app, name)).value for name in ("compare_a", "compare_b"))
    assert before == f"{after}, as it came"
    assert texts(app, "error") == []
    assert float(metrics_of(app)["From the losses"].replace("−", "-").replace("+", "")) == 0
    assert metrics_of(app)["A"] != metrics_of(app)["B"]


def test_runs_page_filters_by_length_and_timestep_typed_or_clicked(folder):
    """Lengths are 3, 4 and 2; a bar that is selected fills the filter, and Escape empties it."""
    app = open_page("runs")

    def left():
        return len(decoded(traces(app, "run_strips")["loss"]["z"]))

    assert left() == 3
    run(app.text_input(key=key_of(app, "runs_length")).set_value("3-4"))
    assert left() == 2
    run(app.text_input(key=key_of(app, "runs_length")).set_value("long"))
    assert "A length is a number such as 12, or two such as 12-40; got `long`." in texts(app, "caption")
    assert left() == 3
    pick(app, "run_by_length", 0, 2)
    assert (app.text_input(key=key_of(app, "runs_length")).value, left()) == ("2", 1)
    app.session_state["run_by_length"] = {"event": {"cell": None, "number": 99}}
    run(app)
    assert (app.text_input(key=key_of(app, "runs_length")).value, left()) == ("", 3)
    pick(app, "run_by_position", 0, 3)
    assert (app.text_input(key=key_of(app, "runs_timestep")).value, left()) == ("3", 1)
    run(app.text_input(key=key_of(app, "runs_timestep")).set_value(""))
    first = picture(app, "run_by_token")["layout"]["yaxis"]["ticktext"][0]
    pick(app, "run_by_token", 0, 0)
    assert app.text_input(key=key_of(app, "runs_token")).value == unescape(first)
    assert 0 < left() <= 3


def test_runs_page_filters_by_process(tmp_path, monkeypatch):
    for rank in (0, 1):
        with lossviz.Recorder(tmp_path / "run", every=1, rank=rank, world=2) as recorder:
            recorder.step(step=0, targets=[[1, 2 + rank]], losses=[[1.0, 2.0]])
    monkeypatch.setenv("LOSSVIZ_FILE", str(tmp_path / "run"))
    app = open_page("runs")
    assert len(decoded(traces(app, "run_strips")["loss"]["z"])) == 2
    choose(app, runs_rank="1")
    assert len(decoded(traces(app, "run_strips")["loss"]["z"])) == 1


def test_runs_page_draws_some_steps_of_a_run_that_is_long_to_read(folder, monkeypatch):
    monkeypatch.setattr("lossviz.runs.Run.outline.__defaults__", (40,))
    app = open_page("runs")
    assert decoded(traces(app, "run_plot")["mean"]["z"]).shape == (1, 4)  # every second of six, and the last
    assert any(
        text.startswith("4 of 6 steps are drawn, evenly spread: the run holds 72 timesteps.")
        for text in texts(app, "caption")
    )
    click(app, "run_read_all")
    run(app)
    assert decoded(traces(app, "run_plot")["mean"]["z"]).shape == (1, 6)


def test_runs_page_says_how_far_a_scan_is_and_stops_it(tmp_path, monkeypatch):
    from lossviz.scanning import ScanProgress, scan

    targets = np.array([[1, 2, 3]])
    for name in "ab":
        np.savez(tmp_path / f"{name}.npz", targets=targets, losses=targets * 1.0)
    out = scan([tmp_path / "a.npz", tmp_path / "x.npz"], tmp_path / "run").folder
    ScanProgress(total=5, scanned=1, problems={"x.npz": "There is no file `x.npz`."}).save(out)
    monkeypatch.setenv("LOSSVIZ_FILE", str(out))
    app = open_page("runs")
    assert "1 file left out; x.npz: There is no file `x.npz`." in texts(app, "caption")
    assert [bar.proto.text for bar in app.get("progress")] == ["Being scanned: 2 of 5 files."]
    click(app, "run_scan_stop")
    assert (out / "scan-stop").exists()
    scan([tmp_path / "a.npz", tmp_path / "b.npz"], out)
    ScanProgress(total=5, kept=1, scanned=1).save(out)
    run(app)
    click(app, "run_scan_read")
    assert decoded(traces(app, "run_plot")["mean"]["z"]).shape == (1, 2)
    ScanProgress(total=5, kept=1, scanned=1, state="stopped").save(out)
    run(app)
    assert "The scan was stopped after 2 of 5 files; the same command goes on from there." in texts(app, "caption")
