"""`scan`: every number of a corpus against float64 NumPy; what is finished is kept, what is bad is said."""

import os

import numpy as np
import pandas as pd
import pytest

import lossviz
from lossviz.errors import FormatError, InputError
from lossviz.runs import open_run
from lossviz.scanning import read_progress, request_stop, scan
from tests.scanning.corpus import B, T, V, log_softmax, losses_of, write_corpus


def frame(folder):
    return open_run(folder).tokens().sort_values(["step", "row", "timestep"])


def files_of(run):
    return {run.recorded.details(step)["file"]: step for step in run.step_numbers}


def shards(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("steps-*")}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return folder, write_corpus(folder)


def test_scan_gives_the_numbers_of_every_format_and_mask(corpus, tmp_path):
    folder, expected = corpus
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    said = []
    done = scan([folder / "*"], tmp_path / "run", progress=lambda state: said.append(state.done)).progress
    assert (done.total, done.scanned, done.kept, done.state, done.timesteps) == (7, 6, 0, "done", 6 * B * T)
    [(name, problem)] = done.problems.items()
    assert (name, problem.startswith("`broken.npz` ")) == (str(folder / "broken.npz"), True)
    assert said == [1, 2, 3, 4, 5, 6, 7]
    run, table = open_run(tmp_path / "run"), frame(tmp_path / "run")
    places = files_of(run)
    assert list(places) == [str(folder / name) for name in expected]
    for name, (targets, losses, weights) in expected.items():
        step = places[str(folder / name)]
        own = table[table.step == step]
        np.testing.assert_array_equal(own.target.to_numpy().reshape(B, T), targets)
        np.testing.assert_allclose(own.weight.to_numpy().reshape(B, T), weights)
        counts = weights != 0
        np.testing.assert_allclose(own.loss.to_numpy().reshape(B, T)[counts], losses[counts], rtol=1e-6)
        steps = run.steps().set_index("step").loc[step]
        assert steps["mean"] == pytest.approx((losses * weights).sum() / weights.sum(), rel=1e-6)
        assert float(lossviz.analyze(run.batch(step)).value) == pytest.approx(steps["mean"], rel=1e-7)


def test_scan_goes_on_where_it_was_stopped(corpus, tmp_path):
    folder, expected = corpus
    names, out = [folder / name for name in expected], tmp_path / "run"
    whole = scan(names, tmp_path / "whole").folder

    def stop(state):
        if state.scanned == 2:
            request_stop(out)

    first = scan(names, out, progress=stop).progress
    assert (first.state, first.scanned, len(shards(out))) == ("stopped", 2, 2)
    assert read_progress(out).state == "stopped"
    before = shards(out)

    class KilledError(BaseException):
        pass

    def kill(state):
        raise KilledError

    with pytest.raises(KilledError):
        scan(names, out, progress=kill)
    assert len(shards(out)) == 3
    (out / "steps-00004-000.0123.draft").write_bytes(b"of a process that was killed")
    last = scan(names, out).progress
    assert (last.state, last.kept, last.scanned) == ("done", 3, 3)
    assert shards(out).items() >= before.items()
    assert not list(out.glob("*.draft"))
    pd.testing.assert_frame_equal(frame(out), frame(whole), check_exact=True)


def test_scan_reads_a_changed_file_again_and_no_other(tmp_path):
    expected = write_corpus(tmp_path)
    names, out = [tmp_path / name for name in expected], tmp_path / "run"
    scan(names, out)
    before = shards(out)
    logits = np.zeros((B, T, V), np.float32)
    targets = expected["d-none.npz"][0]
    np.savez(tmp_path / "d-none.npz", logits=logits, targets=targets)
    done = scan([*names, tmp_path / "g.npz"], out).progress
    assert (done.kept, done.scanned, done.problems) == (5, 1, {str(tmp_path / "g.npz"): "There is no file `g.npz`."})
    after = shards(out)
    assert {name for name in before if before[name] != after[name]} == {"steps-00003-000.parquet"}
    assert open_run(out).steps().set_index("step").loc[3, "mean"] == pytest.approx(np.log(V))
    (tmp_path / "d-none.npz").write_bytes(b"gone")
    scan(names, out)
    assert open_run(out).step_numbers == (0, 1, 2, 4, 5)


def test_scan_of_a_run_keeps_its_steps(tmp_path):
    random = np.random.default_rng(0)
    with lossviz.Recorder(tmp_path / "run", every=10, queue_size=9) as recorder:
        for step in (0, 10, 20):
            inputs, targets = random.integers(0, V, (2, B, T))
            recorder.step(step=step, targets=targets, inputs=inputs, losses=random.exponential(size=(B, T)))
    done = scan([tmp_path / "run"], tmp_path / "again")
    one, other = (frame(folder).drop(columns="rank") for folder in (tmp_path / "run", done.folder))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    with pytest.raises(InputError, match=r"holds the steps of the run `.*run` alone\. Choose another folder\.$"):
        scan([tmp_path / "run", tmp_path / "a.npz"], done.folder)


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_scan_model.py").write_text(
        "import numpy as np\n"
        "calls = []\n"
        f"table = np.random.default_rng(7).normal(size=({V}, {V}))\n"
        "def logits(inputs):\n    calls.append(inputs.shape)\n    return table[inputs]\n"
        "def flat(inputs):\n    return inputs\n"
        "def wrong(inputs):\n    raise ValueError('no such id')\n"
    )
    monkeypatch.chdir(tmp_path)
    return np.random.default_rng(7).normal(size=(V, V))


def test_scan_runs_a_function_over_token_files(module, tmp_path):
    random = np.random.default_rng(3)
    ids = random.integers(1, V, (B, T + 1))
    real = np.arange(T + 1) < random.integers(3, T + 2, B)[:, None]
    np.save("0.npy", ids)
    np.savez("1.npz", input_ids=ids, labels=np.where(real, ids, -100))
    np.savez("2.npz", input_ids=ids, attention_mask=real.astype(int))
    ragged = [row[: kept.sum()].tolist() for row, kept in zip(ids, real, strict=True)]
    with open("3.jsonl", "w") as file:  # noqa: PTH123
        file.writelines(f'{{"input_ids": {row}}}\n' for row in ragged)
    np.savez("4.npz", inputs=ids[:, :-1], targets=ids[:, 1:], weights=real[:, 1:] * 0.5)
    (tmp_path / "5.json").write_text('{"text": "no ids"}')
    done = scan([f"{k}.*" for k in range(6)], "run", model="my_scan_model:logits", batch_size=2)
    assert done.progress.problems == {
        str(tmp_path / "5.json"): "`5.json` holds `text`; a model needs `inputs` and `targets` [B, T], or `input_ids` "
        "[B, T + 1]."
    }
    losses = losses_of(module[ids[:, :-1]], ids[:, 1:])
    table, counts = frame(done.folder), real[:, 1:]
    for step, weights in enumerate((np.ones((B, T)), counts, counts, counts, counts * 0.5)):
        own = table[table.step == step]
        width = len(own) // B
        found = own.loss.to_numpy().reshape(B, width)
        assert not weights[:, width:].any()
        np.testing.assert_allclose(own.weight.to_numpy().reshape(B, width), weights[:, :width])
        kept = weights[:, :width] != 0
        np.testing.assert_allclose(found[kept], losses[:, :width][kept], rtol=1e-6)
    import my_scan_model  # type: ignore[import-not-found]

    assert my_scan_model.calls[:3] == [(2, T), (2, T), (1, T)]


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ("my_scan_model:flat", f"`my_scan_model:flat` must give logits [B, T, V]; inputs ({B}, {T}) gave ({B}, {T})."),
        ("my_scan_model:wrong", f"`my_scan_model:wrong` raised ValueError on inputs ({B}, {T}): no such id"),
    ],
)
def test_scan_says_what_a_function_did_wrong(module, tmp_path, model, problem):
    np.save("0.npy", np.ones((B, T + 1), int))
    assert scan(["0.npy"], "run", model=model).progress.problems == {str(tmp_path / "0.npy"): problem}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"files": []}, "`scan` needs files: recorded batches, runs, or token files."),
        ({"files": ["x*.npz"]}, "`x*.npz` matches no file."),
        ({"model": "model.h5"}, "`model` must be a `.keras` file or `module:function`; got 'model.h5'."),
        ({"model": "none.keras"}, "There is no model `none.keras`."),
        ({"model": "my_scan_model:nothing"}, "`my_scan_model` has no function `nothing`."),
        (
            {"model": "no_such_module:f"},
            "`no_such_module` can't be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ({"batch_size": 0}, "`batch_size` must be 1 or more; got 0."),
        ({"workers": 2}, '`workers` is how many processes `engine="dask"` starts, 1 or more; got 2.'),
        (
            {"engine": "ray"},
            '`engine` must be "local", "dask", or a scheduler\'s address such as tcp://10.0.0.1:8786; got \'ray\'.',
        ),
    ],
)
def test_scan_refuses_in_one_sentence(module, arguments, message):
    with pytest.raises((InputError, FormatError)) as error:
        scan(**{"files": ["a.npz"], "out": "run"} | arguments)
    assert str(error.value) == message
    assert not os.path.exists("run")  # noqa: PTH110


def test_scan_refuses_the_folder_of_another_scan(module, tmp_path):
    np.save("0.npy", np.ones((2, 3), int))
    scan(["0.npy"], "run", model="my_scan_model:logits")
    with pytest.raises(InputError) as error:
        scan(["0.npy"], "run")
    assert str(error.value) == (
        f"`{tmp_path / 'run'}` holds a scan with another model. Choose another folder, or delete that one."
    )
    with lossviz.Recorder(tmp_path / "recorded", every=1) as recorder:
        recorder.step(step=0, targets=[[1]], losses=[[1.0]])
    with pytest.raises(InputError, match="holds a run that a training loop recorded"):
        scan(["0.npy"], "recorded")


def test_scan_takes_a_softmax_of_keras_by_its_logarithms():
    from lossviz.scanning._models import _as_logits

    logits = np.random.default_rng(0).normal(size=(2, 3, V))
    probabilities = np.exp(log_softmax(logits))
    np.testing.assert_allclose(_as_logits(probabilities), log_softmax(logits))
    assert _as_logits(logits) is logits
