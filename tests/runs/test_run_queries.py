"""`lossviz.runs`: every table against the same arithmetic in NumPy and pandas, for every kind of mask."""

import numpy as np
import pandas as pd
import pytest

import lossviz
from lossviz.errors import FormatError, InputError
from lossviz.runs import GROUPS, open_run
from tests.runs.recorded import MASKS, V, record

COLUMNS = ["step", "rank", "micro_batch", "row", "timestep", "target", "loss", "weight"]
SEEN = ["step", "rank", "micro_batch", "row", "timestep", "target", "seen", "weight"]
PLACE = ["rank", "micro_batch", "row"]


def frame(rows):
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["weighted"] = np.where(table.weight != 0, table.weight * table.loss, 0)
    return table


def mean_of(table):
    return table.weighted.sum() / table.weight.sum()


def keyed(run, table):
    """The timesteps with the key of their sequence."""
    keys = run.tokens().drop_duplicates(["step", *PLACE]).set_index(["step", *PLACE]).sequence
    return table.assign(key=[keys[tuple(place)] for place in table[["step", *PLACE]].to_numpy()])


@pytest.fixture(scope="module", params=MASKS)
def known(request, tmp_path_factory):
    """A run of two ranks and two micro-batches a step, and its timesteps as a frame."""
    folder = tmp_path_factory.mktemp("known") / "run"
    rows = [row for rank in (0, 1) for row in record(folder, request.param, rank=rank)]
    table = frame(rows)
    table["seen"] = table.loss.where(table.target >= 0)  # a target that is no class has no loss, whatever was recorded
    return open_run(folder), table


def test_run_steps_are_those_of_pandas(known):
    run, table = known
    steps = run.steps()
    counted = table[table.weight != 0]
    bands = counted.groupby("step").loss.quantile([0.1, 0.5, 0.9]).unstack()
    assert steps["step"].tolist() == [0, 1, 2, 3]
    assert steps["printed"].tolist() == ["0.5", "1.5", "2.5", "3.5"]
    np.testing.assert_allclose(steps["mean"], [mean_of(part) for _, part in table.groupby("step")], rtol=1e-12)
    np.testing.assert_allclose(steps["divisor"], table.groupby("step").weight.sum())
    np.testing.assert_allclose(steps["perplexity"], np.exp(steps["mean"]))
    np.testing.assert_allclose(steps["padding"], (table.weight == 0).groupby(table.step).mean(), atol=1e-12)
    np.testing.assert_allclose(steps[["low", "middle", "high"]], bands, rtol=1e-6)
    assert (steps["sequences"].tolist(), steps["unknown"].tolist()) == ([12] * 4, [0] * 4)


def test_run_step_has_the_mean_of_the_page_explore(known):
    run, _ = known
    values = [float(lossviz.analyze(run.batch(step)).value) for step in run.step_numbers]
    np.testing.assert_allclose(run.steps()["mean"], values, rtol=1e-7)


@pytest.mark.parametrize("name", GROUPS)
def test_run_by_is_a_groupby(known, name):
    run, table = known
    counted = table[table.weight != 0].copy()
    counted["length"] = counted.groupby(["step", *PLACE]).target.transform("size")
    column = {"position": "timestep", "token": "target"}.get(name, name)
    groups = counted.groupby(counted[column].rename(None)) if name == "weight" else counted.groupby(column)
    expected = pd.DataFrame({"count": groups.size(), "loss": groups.weighted.sum(), "divisor": groups.weight.sum()})
    found = run.by(name).set_index("target" if name == "token" else name)
    np.testing.assert_allclose(found.loc[expected.index, ["count", "loss", "divisor"]], expected, rtol=1e-6)
    np.testing.assert_allclose(found["mean"], found.loss / found.divisor)
    assert found.share.sum() == pytest.approx(1)
    if name == "token":
        assert found.loss.is_monotonic_decreasing
        assert found.token.tolist() == [str(target) for target in found.index]


def test_run_tokens_are_all_timesteps(known):
    run, table = known
    found = run.tokens()
    expected = table.sort_values(["step", *PLACE, "timestep"])
    np.testing.assert_allclose(found[COLUMNS], expected[SEEN], rtol=1e-6)
    some = run.tokens("step >= 2 AND loss > 1 AND weight <> 0")
    wanted = expected[(expected.step >= 2) & (expected.loss > 1) & (expected.weight != 0)]
    np.testing.assert_allclose(some[COLUMNS], wanted[SEEN], rtol=1e-6)


@pytest.mark.parametrize("order", ["worst", "changed", "spread"])
def test_run_sequences_rank_what_pandas_ranks(known, order):
    """The first row of each micro-batch is one sequence, seen in every step; the others are seen once."""
    run, table = known
    found = run.sequences(order, split=2).set_index("sequence")
    table, rows = keyed(run, table), {}
    for key, part in table.groupby("key"):
        each = {step: mean_of(own) for step, own in part.groupby("step")}
        before, after = part[part.step < 2], part[part.step >= 2]
        halves = [mean_of(half) if len(half) else np.nan for half in (before, after)]
        rows[key] = [mean_of(part), *halves, halves[1] - halves[0], max(each.values()) - min(each.values())]
    expected = pd.DataFrame.from_dict(rows, "index", columns=["mean", "before", "after", "change", "spread"])
    assert set(found.index) == set(expected.index)
    np.testing.assert_allclose(found[expected.columns].astype(float), expected.loc[found.index], rtol=1e-6, atol=1e-9)
    ordered = found[{"worst": "mean", "changed": "change", "spread": "spread"}[order]].dropna().tolist()
    assert ordered == sorted(ordered, reverse=True)
    [same] = found[found.steps == 4].index
    assert found.text[same].startswith("1 2 3 4")


def test_run_trajectory_is_one_sequence_over_the_steps(known):
    run, table = known
    [key] = run.sequences().query("steps == 4").sequence
    found = run.trajectory(key)
    expected = table[(table["rank"] == 0) & (table.micro_batch == 0) & (table.row == 0)]
    np.testing.assert_allclose(found[COLUMNS], expected[SEEN], rtol=1e-6)


def test_run_strips_are_the_timesteps_of_some_sequences(known):
    run, table = known
    first, second = run.sequences("spread", split=2).sequence[:2]
    found = run.strips([second, first], split=2)
    assert list(dict.fromkeys(found.sequence)) == [second, first]
    table = keyed(run, table).query("weight != 0")
    for key, part in found.groupby("sequence"):
        same = table[table.key == key]
        np.testing.assert_allclose(part["mean"], same.groupby("timestep").loss.mean(), rtol=1e-6)
        halves = [same[same.step < 2], same[same.step >= 2]]
        if all(map(len, halves)):
            early, late = (half.groupby("timestep").loss.mean() for half in halves)
            np.testing.assert_allclose(part["change"], late - early, rtol=1e-5, atol=1e-7)
        assert part.token.tolist() == [str(target) for target in part.target]


def test_run_sequences_can_be_filtered(known):
    run, table = known
    counted = table[table.weight != 0]
    every, lengths = run.sequences(), run.sequences(lengths=(2, 4))
    assert lengths.sequence.tolist() == every.query("tokens >= 2 and tokens <= 4").sequence.tolist()
    target = counted.target.iloc[-1]
    places = counted[counted.target == target][["step", *PLACE]].drop_duplicates()
    keys = run.tokens().merge(places, on=["step", *PLACE]).sequence.unique()
    assert set(run.sequences(token=int(target)).sequence) == set(keys)


def test_run_place_is_the_row_of_the_batch(known):
    run, _ = known
    for _, at in run.tokens("timestep = 0 AND step = 1").iterrows():
        row = run.place(1, rank=at["rank"], micro_batch=at.micro_batch, row=at.row)
        assert run.batch(1).targets[row, 0] == at.target


def test_run_with_unknown_losses_says_so_and_gives_no_mean(tmp_path):
    """A loss that counts and was not recorded makes every sum NaN that it is part of; a masked one changes nothing."""
    known = np.array([[True, True, False], [True, False, True]])
    with lossviz.Recorder(tmp_path / "run", every=1) as recorder:
        for step, lengths in enumerate(([2, 1], [2, 3])):
            targets, losses = [[1, 2, 3], [4, 5, 6]], [[1.0, 2.0, 9.0], [3.0, 9.0, np.nan]]
            recorder.step(step=step, targets=targets, losses=losses, known=known, lengths=lengths)
    run = open_run(tmp_path / "run")
    steps = run.steps()
    assert steps["unknown"].tolist() == [0, 1]
    assert steps["mean"].tolist() == [2.0, pytest.approx(np.nan, nan_ok=True)]
    assert steps["middle"].tolist() == [2.0, 2.0]  # of those that are numbers: 1, 2 and 3
    assert run.by("position")["mean"].tolist() == pytest.approx([2.0, np.nan, np.nan], nan_ok=True)
    assert [float(lossviz.analyze(run.batch(step)).value) for step in (0, 1)] == pytest.approx([2, np.nan], nan_ok=True)


def test_run_with_labels_that_are_no_class_gives_no_mean(tmp_path):
    """Whatever a loop wrote there; as on the page Explore."""
    with lossviz.Recorder(tmp_path / "run", every=1) as recorder:
        recorder.step(step=0, targets=[[1, -5]], losses=[[1.0, 2.0]])
        recorder.step(step=1, targets=[[1, 5]], losses=[[1.0, 2.0]], lengths=[3])
    assert open_run(tmp_path / "run").steps()["mean"].isna().tolist() == [True, True]


def test_run_that_is_still_recorded_answers(tmp_path, monkeypatch):
    """Arrow streams are read as Parquet is; after `resume` the later part counts."""
    monkeypatch.setattr("lossviz.recording._recorder.compact", lambda *_, **__: ())
    record(tmp_path / "run", steps=range(3))
    rows = record(tmp_path / "run", steps=range(2, 5), change=lambda _, losses: losses + 1, resume=True)
    run = open_run(tmp_path / "run")
    assert run.step_numbers == (0, 1, 2, 3, 4)
    table = frame(rows)
    later = [mean_of(part) for _, part in table.groupby("step")]
    np.testing.assert_allclose(run.steps()["mean"][2:], later, rtol=1e-6)
    assert run.steps()["sequences"].tolist() == [6] * 5


def test_run_of_ranks_without_a_shared_disk_opens_by_a_pattern(tmp_path):
    """As if they had recorded into one folder; the micro-batches of a step may differ in T."""
    for rank in (0, 1):
        record(tmp_path / f"node-{rank}" / "run", rank=rank)
        record(tmp_path / "together", rank=rank)
    run, together = open_run(tmp_path / "node-*" / "run"), open_run(tmp_path / "together")
    pd.testing.assert_frame_equal(run.steps(), together.steps())
    np.testing.assert_array_equal(run.batch(2).targets, together.batch(2).targets)
    assert [state.rank for state in run.recorded.ranks] == [0, 1]
    by_files = open_run(tmp_path / "node-*" / "run" / "*.parquet")
    assert by_files.step_numbers == run.step_numbers


def test_run_pattern_of_different_runs_is_refused(tmp_path):
    for name in ("a", "b"):
        record(tmp_path / name, steps=range(1))
    record(tmp_path / "c", steps=range(1), rank=3, vocabulary=[str(v) for v in range(V)])
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "[ab]")
    assert str(error.value) == f"`{tmp_path / 'b'}` holds rank 0 again: that is another run. Open it alone."
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "[ac]")
    assert str(error.value) == (
        f"`{tmp_path / 'c'}` has another vocabulary or special ids than `{tmp_path / 'a'}`. Open it alone."
    )
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "x*")
    assert str(error.value) == (
        f"No folder that `{tmp_path / 'x*'}` matches holds a run. Pass the folder that was recorded to."
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda run: run.sequences("best"),
            "`order_by` must be one of 'worst', 'changed', 'spread'; got 'best'.",
        ),
        (
            lambda run: run.by("time"),
            "`name` must be one of 'position', 'token', 'length', 'rank', 'weight'; got 'time'.",
        ),
        (
            lambda run: run.trajectory("0" * 16),
            "`sequence` must be a key from `sequences()`; got '0000000000000000', which no step holds.",
        ),
        (lambda run: run.trajectory("first"), "`sequence` must be a key from `sequences()`; got 'first'."),
        (
            lambda run: run.tokens(limit=10),
            "`tokens` would give more than 10 rows. Narrow `where`, or pass a larger `limit`.",
        ),
        (
            lambda run: run.tokens("loss >"),
            '`where` must be a condition on the columns: Parser Error: syntax error at or near ")"',
        ),
        (
            lambda run: run.tokens("1 = 1); DROP TABLE micro_batches; SELECT (1"),
            "`where` must be one condition on the columns; got several statements.",
        ),
    ],
)
def test_run_refuses_in_one_sentence(known, ask, message):
    run, _ = known
    with pytest.raises(InputError) as error:
        ask(run)
    assert str(error.value) == message


def test_run_with_a_damaged_shard_is_refused_in_one_sentence(tmp_path):
    record(tmp_path / "run")
    run = open_run(tmp_path / "run")
    [shard] = (tmp_path / "run").glob("*.parquet")
    whole = shard.read_bytes()
    run.step_numbers  # noqa: B018 (the index is read before the damage)
    at = whole.index(b"\x28\xb5\x2f\xfd")  # the first page that zstd has packed
    shard.write_bytes(whole[: at + 4] + bytes(len(whole) // 2) + whole[at + 4 + len(whole) // 2 :])
    with pytest.raises(FormatError, match=r"Restore it from a copy"):
        run.steps()


def test_run_outline_reads_evenly_spread_steps_and_has_their_rows(tmp_path):
    record(tmp_path / "run", "lengths", steps=range(9), micro_batches=1)
    run = open_run(tmp_path / "run")
    assert run.timesteps == 9 * 3 * 6
    outline = run.outline(most=50)
    assert outline["step"].tolist() == [0, 4, 8]
    whole = run.steps()
    pd.testing.assert_frame_equal(outline, whole[whole.step % 4 == 0].reset_index(drop=True), rtol=1e-13)
    pd.testing.assert_frame_equal(run.outline(most=50), whole)  # what is there is not left out


def test_run_steps_are_the_same_however_many_are_read_at_once(tmp_path, monkeypatch):
    record(tmp_path / "run", "weights", steps=range(7))
    whole = open_run(tmp_path / "run").steps()
    monkeypatch.setattr("lossviz.runs._steps._AT_ONCE", 100)
    pd.testing.assert_frame_equal(open_run(tmp_path / "run").steps(), whole, rtol=1e-13)


def test_run_steps_with_what_the_doctor_and_identify_say(tmp_path):
    """Up to step 1 the loop divides by all timesteps."""
    with lossviz.Recorder(tmp_path / "run", every=1, pad_id=0, eos_id=2) as recorder:
        for step in range(4):
            targets = np.array([[3, 1, 2, 0], [1, 2, 0, 0]])
            losses = np.random.default_rng(step).exponential(size=(2, 4)) + 1
            printed = losses.mean() if step < 2 else losses[targets != 0].mean()
            recorder.step(step=step, targets=targets, losses=losses, reported=f"{printed:.6f}")
    run = open_run(tmp_path / "run")
    table = run.steps(checked=True)
    assert table["formula"].tolist() == ["PAD01", "PAD01", "C03", "C03"]
    assert ["PAD01" in codes.split(", ") for codes in table["findings"]] == [True, True, False, False]
    pd.testing.assert_frame_equal(table.drop(columns=["findings", "formula"]), run.steps())


def test_run_sequences_are_filtered_by_rank_timestep_and_length(known):
    run, table = known
    counted = keyed(run, table[table.weight != 0])
    everything = run.sequences()
    for given, kept in (
        ({"rank": 1}, counted[counted["rank"] == 1]),
        ({"timestep": 4}, counted[counted.timestep == 4]),
    ):
        found = run.sequences(**given)
        assert set(found["sequence"]) == set(kept.key)
        own = everything[everything["sequence"].isin(found["sequence"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, own, rtol=1e-12)
    both = run.sequences(rank=1, lengths=(2, 4), token=3)
    assert set(both["sequence"]) == {
        one.sequence
        for one in everything.itertuples()
        if 2 <= one.tokens <= 4
        and ((counted.key == one.sequence) & (counted["rank"] == 1)).any()
        and ((counted.key == one.sequence) & (counted.target == 3)).any()
    }


def test_run_of_many_shards_is_read_in_one_go(tmp_path):
    rows = [row for rank in range(5) for row in record(tmp_path / "run", rank=rank, micro_batches=1)]
    run = open_run(tmp_path / "run")
    assert run.by("rank")["rank"].tolist() == [0, 1, 2, 3, 4]
    table = frame(rows)
    np.testing.assert_allclose(run.steps()["mean"], [mean_of(part) for _, part in table.groupby("step")], rtol=1e-7)
