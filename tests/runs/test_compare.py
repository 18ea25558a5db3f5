"""`lossviz.runs.compare`: its parts add up to the difference of the two numbers, whatever changed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lossviz
from lossviz import Batch, Settings, analyze
from lossviz.errors import InputError
from lossviz.runs import compare, open_run
from tests.runs.recorded import record

SHAPE = (3, 4)
TARGETS = np.arange(12).reshape(SHAPE)
REDUCTIONS = ("mean", "language_model", "encoder_decoder", "sequence_means", "max_length")
OTHERS = (
    "`a` and `b` must share sequences; none of the 3 of `a` is among the 2 of `b`. "
    "Compare steps of a run that watches a fixed batch, or one batch under two checkpoints."
)
losses = arrays.arrays(float, SHAPE, elements=st.floats(0, 20))
weights = arrays.arrays(float, SHAPE, elements=st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.5]))


def batch(loss, weight=None, **more):
    return Batch.from_arrays(losses=loss, targets=TARGETS, weights=weight, **more)


@given(losses, losses, weights, weights, st.sampled_from(REDUCTIONS))
def test_compare_parts_add_up_to_the_difference(loss_a, loss_b, weight_a, weight_b, reduction):
    settings = Settings(reduction=reduction)
    found = compare(batch(loss_a, weight_a), batch(loss_b, weight_b), settings)
    parts = (found.from_losses, found.from_mask, found.from_divisor)
    assert sum(parts) == pytest.approx(found.difference, abs=1e-9)
    assert found.cells.sum() == pytest.approx(found.difference, abs=1e-9)
    assert found.by("position").difference.sum() == pytest.approx(found.difference, abs=1e-9)
    back = compare(batch(loss_b, weight_b), batch(loss_a, weight_a), settings)
    assert (back.from_losses, back.from_mask, back.from_divisor) == pytest.approx([-part for part in parts], abs=1e-9)


@given(losses, losses, weights)
def test_compare_of_one_mask_is_all_losses(loss_a, loss_b, weight):
    found = compare(batch(loss_a, weight), batch(loss_b, weight))
    assert (found.from_mask, found.from_divisor) == (0, 0)
    total = weight.sum()
    expected = np.where(weight > 0, weight * (loss_b - loss_a), 0) / (total or 1)
    np.testing.assert_allclose(found.cells, expected, atol=1e-12)


def test_compare_of_two_masks_of_one_batch_is_mask_and_divisor():
    """Σ 10 over 4 timesteps against Σ 6 over 3: by hand, ⟨1/4, 1/3⟩ · 4 leaves with the timestep of loss 4."""
    one = Batch.from_arrays(losses=[[1.0, 2.0, 3.0, 4.0]], targets=[[1, 2, 3, 4]], lengths=[3])
    found = compare(analyze(one, Settings(mask="none")), analyze(one))
    assert found.difference == pytest.approx(6 / 3 - 10 / 4)
    assert found.from_losses == 0
    assert found.from_mask == pytest.approx(-4 * (1 / 4 + 1 / 3) / 2)
    assert found.from_divisor == pytest.approx((1 + 2 + 3 + 4 / 2) * (1 / 3 - 1 / 4))
    assert found.sentence == ("2.5000 → 2.0000 nats, −0.5000: −1.1667 from the mask, +0.6667 from the divisor.")


def test_compare_of_sequences_in_another_order_aligns_them():
    random, order = np.random.default_rng(0), [2, 0, 1]
    a, b = random.exponential(size=(2, *SHAPE))
    inputs, lengths = TARGETS + 1, np.array([2, 4, 3])
    plain = compare(batch(a, inputs=inputs, lengths=lengths), batch(b, inputs=inputs, lengths=lengths))
    moved = Batch.from_arrays(
        losses=b[order], targets=TARGETS[order], inputs=inputs[order], lengths=lengths[order], reported="1.5"
    )
    found = compare(batch(a, inputs=inputs, lengths=lengths), moved)
    np.testing.assert_allclose(found.cells, plain.cells)
    assert found.from_losses == pytest.approx(plain.difference)


def test_compare_tables_are_those_of_pandas():
    random = np.random.default_rng(1)
    a, b = random.exponential(size=(2, 4, 5))
    targets, lengths = random.integers(0, 3, (4, 5)), np.array([5, 3, 3, 1])
    words = ["a", "b", "c"]
    found = compare(*(Batch.from_arrays(losses=x, targets=targets, lengths=lengths, vocabulary=words) for x in (a, b)))
    mask = np.arange(5) < lengths[:, None]
    rows, columns = np.nonzero(mask)
    frame = pd.DataFrame(
        {"target": targets[mask], "position": columns, "length": lengths[rows], "a": a[mask], "b": b[mask]}
    )
    for name in ("target", "position", "length"):
        groups = frame.groupby(name)
        table = found.by("token" if name == "target" else name)
        assert table.columns.tolist()[-6:] == ["count", "mean_a", "mean_b", "change", "worse", "difference"]
        table = table.set_index(name).sort_index()
        np.testing.assert_allclose(table.mean_a, groups.a.mean())
        np.testing.assert_allclose(table.mean_b, groups.b.mean())
        np.testing.assert_allclose(table.change, groups.b.mean() - groups.a.mean())
        np.testing.assert_array_equal(table["count"], groups.size())
        np.testing.assert_array_equal(table.worse, (frame.b > frame.a).groupby(frame[name]).sum())
        np.testing.assert_allclose(table.difference, (groups.b.sum() - groups.a.sum()) / mask.sum())
    tokens = found.tokens()
    assert tokens.difference.is_monotonic_decreasing
    assert tokens.token.tolist() == [words[target] for target in tokens.target]
    with pytest.raises(InputError, match=r"^`name` must be one of 'token', 'position', 'length'; got 'row'\.$"):
        found.by("row")


def test_compare_of_ranks_stops_at_fifty():
    """A rank of 60 is no worse than one of 55; a target that is no class has none."""
    one = {"losses": [[1.0, 1.0, 1.0]], "targets": [[1, 2, -100]], "ignore_id": -100}
    a, b = (Batch.from_arrays(**one, rank=rank) for rank in ([[3, 55, 1]], [[60, 60, 1]]))
    np.testing.assert_array_equal(compare(a, b).ranks, [[47, 0, np.nan]])
    np.testing.assert_array_equal(compare(a, b).losses, [[0, 0, np.nan]])


def test_compare_of_a_loss_that_one_never_computed_is_exact():
    """Masked in a and not recorded there; counted in b."""
    a = Batch.from_arrays(losses=[[1.0, np.nan]], targets=[[1, 2]], lengths=[1])
    b = Batch.from_arrays(losses=[[1.0, 4.0]], targets=[[1, 2]], lengths=[2])
    found = compare(a, b)
    assert found.cells.sum() == pytest.approx(2.5 - 1.0)
    assert found.from_losses == 0


def test_compare_of_the_same_says_that_nothing_changed():
    assert compare(batch(np.ones(SHAPE)), batch(np.ones(SHAPE))).sentence == (
        "Both numbers are 1.0000 nats: nothing that counts has changed."
    )


def test_compare_of_two_steps_of_a_run_is_the_difference_of_their_means(tmp_path):
    record(tmp_path / "run", micro_batches=1, steps=range(1))
    watched = lossviz.recording.open_run(tmp_path / "run").batch(0)
    with lossviz.Recorder(tmp_path / "watched", every=1, watch=watched.targets) as recorder:
        for step in range(2):
            recorder.step(step=step, targets=watched.targets, losses=watched.losses / (1 + step), lengths=[4, 2, 5])
    run = open_run(tmp_path / "watched")
    means = run.steps()["mean"]
    assert compare(run.batch(0), run.batch(1)).difference == pytest.approx(means[1] - means[0], rel=1e-6)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"targets": TARGETS[:, :3], "losses": np.ones((3, 3))},
            (
                "`a` and `b` must have the same number of timesteps; got 4 and 3. "
                "Compare two batches of the same sequences."
            ),
        ),
        (
            {"targets": TARGETS[:2] + 1, "losses": np.ones((2, 4))},
            OTHERS,
        ),
        (
            {"targets": TARGETS, "losses": np.ones(SHAPE), "vocabulary": [str(v) for v in range(13)]},
            "`a` and `b` must have one vocabulary; theirs differ, of 12 and 13 tokens.",
        ),
        (
            {"targets": TARGETS, "losses": np.ones(SHAPE), "classes": 99},
            (
                "`a` and `b` must have the same number of classes; got 12 and 99. "
                "Compare two batches of the same sequences."
            ),
        ),
    ],
)
def test_compare_refuses_what_is_not_the_same_in_one_sentence(other, message):
    words = [f"w{v}" for v in range(12)]
    with pytest.raises(InputError) as error:
        compare(batch(np.ones(SHAPE), vocabulary=words), Batch.from_arrays(**other))
    assert str(error.value) == message


def test_compare_refuses_several_numbers_in_one_sentence():
    several = Settings(reduction="sequence_loss", average_across_batch=False)
    with pytest.raises(InputError) as error:
        compare(batch(np.ones(SHAPE)), batch(np.ones(SHAPE)), several)
    assert str(error.value) == "`a` must have one number; its reduction gives 3. Use the mean."


def test_compare_of_steps_that_share_some_sequences_compares_those_and_says_so():
    random = np.random.default_rng(0)
    one, other = random.exponential(size=(2, 4, 4))
    rows = np.concatenate([TARGETS, TARGETS[:1]])  # the first sequence twice
    a = Batch.from_arrays(losses=one, targets=rows, reported="1.0", lengths=[4, 3, 2, 1])
    b = Batch.from_arrays(losses=other, targets=rows[[2, 0, 1, 1]] + [[0], [0], [0], [50]], lengths=[4, 4, 4, 4])
    found = compare(a, b)
    assert found.shared == "Only the 3 sequences that both hold are compared: A has 1 more, B 1."
    assert (found.rows.tolist(), found.a.batch.targets.tolist()) == ([0, 1, 2], TARGETS.tolist())
    assert found.a.batch.reported is None
    value = np.where(np.arange(4) < np.array([[4], [3], [2]]), one[:3], 0).sum() / 9
    assert float(found.a.value) == pytest.approx(value)
    assert float(found.b.value) == pytest.approx(other[[1, 2, 0]].mean())
    assert found.cells.sum() == pytest.approx(found.difference)
    assert compare(a, a).shared == ""
    single = compare(a, Batch.from_arrays(losses=other[:1], targets=rows[1:2]))
    assert single.shared == "Only the one sequence that both hold is compared: A has 3 more, B 0."
    assert single.rows.tolist() == [1]
