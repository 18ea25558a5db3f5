"""Batches that hold losses and no logits: the same numbers, and one sentence where logits are needed."""

import contextlib
import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import (
    Batch,
    Edit,
    Settings,
    analyze,
    apply_edits,
    compare_conventions,
    diagnose,
    identify,
    load,
    read,
    write,
)
from lossviz.errors import FormatError, InputError, NoLogitsError
from lossviz.figures import QUANTITIES, equation, mask, overview
from lossviz.headline import cell_words, headline
from lossviz.reductions import REDUCTIONS
from lossviz.reproduce import code
from lossviz.tables import reductions_table, sequences_table, timesteps_table, to_csv, to_json, to_parquet

NAN = np.nan
TARGETS = [[1, 2, 3], [1, 0, -100]]
LOSSES = [[0.5, 1.0, 2.0], [0.25, NAN, 0.0]]
WEIGHTS = [[1, 1, 1], [1, 0, 0]]


def recorded(**fields):
    return Batch.from_arrays(**{"targets": TARGETS, "losses": LOSSES, "weights": WEIGHTS} | fields)


def twins(seed, rows=4, timesteps=6, classes=7, **fields):
    """A batch with logits, and the same one handed over as the losses that NumPy computes in float64."""
    rng = np.random.default_rng(seed)
    logits, targets = 3 * rng.normal(size=(rows, timesteps, classes)), rng.integers(0, classes, (rows, timesteps))
    lengths = rng.integers(1, timesteps + 1, rows)
    full = Batch.from_arrays(logits=logits, targets=targets, lengths=lengths, **fields)
    shifted = logits - logits.max(axis=2, keepdims=True)
    at_target = np.take_along_axis(shifted, targets[..., None], axis=2)[..., 0]
    losses = np.log(np.exp(shifted).sum(axis=2)) - at_target
    return full, Batch.from_arrays(losses=losses, targets=targets, lengths=lengths, classes=classes, **fields)


def test_losses_that_are_masked_and_unrecorded_poison_nothing():
    analysis = analyze(recorded())
    assert (analysis.value, analysis.numerator, analysis.divisor) == (3.75 / 4, 3.75, 4)
    assert analysis.recorded.tolist() == [[True, True, True], [True, False, False]]
    assert analysis.unpadded_loss.tolist() == [[0.5, 1, 2], [0.25, 0, 0]]
    np.testing.assert_array_equal(analysis.probability, np.exp(-np.array([[0.5, 1, 2], [0.25, NAN, NAN]])))


def test_an_unmasked_loss_that_was_not_recorded_makes_the_number_nan_and_is_said():
    analysis = analyze(recorded(weights=[[1, 1, 1], [1, 1, 0]]))
    assert np.isnan(analysis.value)
    assert [problem.message for problem in analysis.problems if problem.kind == "unrecorded"] == [
        (
            "1 unmasked loss was not recorded, first at sequence 1, timestep 1, so the number is NaN; the mean "
            "over the other 4 is 0.9375."
        )
    ]


def test_log_probs_are_losses_of_the_other_sign():
    batch = recorded(losses=None, log_probs=-np.array(LOSSES))
    np.testing.assert_array_equal(batch.losses, recorded().losses)
    assert repr(batch) == "Batch(B=2 sequences, T=3 timesteps, V=unknown, losses and no logits, mask from weights)"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"losses": -np.array(LOSSES)},
            (
                "`losses` must be 0 or more, −log p of the target; got -0.5 at sequence 0, timestep 0. If they are "
                "log-probabilities, pass them as `log_probs`."
            ),
        ),
        (
            {"losses": None, "log_probs": LOSSES},
            (
                "`log_probs` must be 0 or less, log p of the target; got 0.5 at sequence 0, timestep 0. If they are "
                "losses, pass them as `losses`."
            ),
        ),
        (
            {"losses": None},
            "A batch needs `logits` [B, T, V], or `losses` or `log_probs` [B, T]; got none of them.",
        ),
        (
            {"log_probs": LOSSES},
            "`losses` and `log_probs` say the same with opposite signs; pass one of them, not both.",
        ),
        (
            {"logits": np.zeros((2, 3, 4))},
            "`logits` give the losses and all that was recorded with them; pass `logits`, or the rest.",
        ),
        (
            {"losses": [0.5, 1.0]},
            (
                "`losses` must have rank 2, (sequences, timesteps); got shape (2,). A single sequence needs "
                "`losses[None]`; flat ones need `losses.reshape(B, T)`."
            ),
        ),
        ({"entropy": [[0.5, 1.0]]}, "`entropy` must have shape (2, 3); got (1, 2)."),
        (
            {"top_classes": np.zeros((2, 3, 1), int)},
            "`top_classes` and `top_probabilities` belong together; pass both or neither.",
        ),
        ({"classes": 0}, "`classes` must be at least 1; got 0."),
        (
            {"vocabulary": ["a"], "classes": 4},
            (
                "`vocabulary` must have 4 tokens, one for each of the 4 `classes`; got 1. Count the padding "
                "token and the special tokens too."
            ),
        ),
    ],
)
def test_losses_of_the_wrong_sign_or_shape_are_refused(fields, message):
    with pytest.raises(InputError) as error:
        recorded(**fields)
    assert str(error.value) == message


def test_losses_that_rounding_took_below_0_are_kept():
    assert recorded(losses=[[0.5, -0.01, 2.0], [0.25, NAN, 0.0]]).losses[0, 1] == -0.01


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_every_reduction_gives_the_number_that_it_gives_with_logits(seed):
    full, losses = map(analyze, twins(seed))
    for reduction in REDUCTIONS:
        if reduction.name == "classification":
            continue
        steps = {"accumulation_steps": 2} if reduction.name == "micro_batch_means" else {}
        choice = Settings(reduction=reduction.name, **steps)
        one, other = full.with_settings(choice), losses.with_settings(choice)
        np.testing.assert_allclose(one.value, other.value, rtol=1e-9, err_msg=reduction.name)
        np.testing.assert_allclose(one.share, other.share, rtol=1e-9, atol=1e-15)


def test_compare_conventions_gives_the_numbers_that_it_gives_with_logits():
    one, other = (compare_conventions(analyze(batch), accumulation_steps=2, smoothing=0.1) for batch in twins(1))
    known = other.value.notna()
    np.testing.assert_allclose(one.value[known], other.value[known], rtol=1e-9)
    lost = one.value.notna() & ~known
    assert set(other.note[lost]) <= {
        "This can't be told without logits.",
        "The loss against other targets can't be told without logits.",
    }
    assert {"LS1", "SH1"} <= set(other.code[lost])


def test_identify_names_the_formula_that_it_names_with_logits():
    full, losses = twins(2)
    analysis = analyze(full)
    for value in (analysis.value, analysis.batch_loss.mean(), analysis.numerator, analysis.numerator / 4):
        assert identify(losses, f"{value:.6f}")[0].code == identify(full, f"{value:.6f}")[0].code


def test_diagnose_finds_what_it_finds_with_logits_and_says_what_it_cannot_tell():
    full, losses = (batch.replace(lengths=[6, 0, 9, 3], pad_id=0, weights=None) for batch in twins(3))
    one, other = diagnose(full), diagnose(losses)
    silent = {outcome.code for outcome in other.outcomes if outcome.reason == "This can't be told without logits."}
    assert {"MOD01", "NUM01", "SHF06"} <= silent
    assert [f.code for f in other.findings] == [f.code for f in one.findings if f.code not in silent] != []
    assert not [outcome for outcome in other.outcomes if outcome.state == "crashed"]


def test_explain_starts_from_the_loss():
    cell = analyze(recorded()).explain(0, 1)
    assert [(name, value) for name, _, value in cell.steps] == [
        ("loss, as recorded", 1.0),
        ("log-probability", -1.0),
        ("probability", np.exp(-1.0)),
        ("times weight", 1.0),
        ("divided by", 4.0),
        ("adds to the number", 0.25),
    ]
    assert (cell.share, cell.classes, cell.note) == (0.25 / 0.9375, (), "")
    assert cell_words(cell) == (
        "probability 0.3679 · share of the number 26.7 % · gradient: can't be told without logits"
    )
    unknown = analyze(recorded()).explain(1, 1)
    assert (cell_words(unknown), unknown.note) == ("not recorded", "The loss of this timestep was not recorded.")


def test_what_needs_logits_says_so():
    analysis = analyze(recorded())
    for ask in (lambda: analysis.scores, analysis.alternatives, lambda: analysis.logsumexp, lambda: analysis.classes):
        with pytest.raises(NoLogitsError, match=r"can't be told without logits\.$"):
            ask()


def test_edits_of_weights_work_and_those_of_targets_are_refused():
    batch = recorded()
    assert analyze(apply_edits(batch, [Edit("weights", (0, 2), 0)])).value == 1.75 / 3
    with pytest.raises(InputError) as error:
        apply_edits(batch, [Edit("targets", (0, 0), 2)])
    assert str(error.value) == (
        "`targets` can't be edited: this batch has no logits, so what another target would cost can't be told."
    )


def test_pictures_mark_what_was_not_recorded():
    analysis = analyze(recorded())
    figure = equation(analysis)
    assert [note.text for note in figure.layout.annotations if note.name == "legend:unrecorded"] == ["not recorded"]
    for quantity in QUANTITIES:
        equation(analysis, quantity=quantity)
    overview(analysis)
    mask(analysis.batch)


def test_tables_headline_and_html_hold_a_batch_without_logits():
    analysis = analyze(recorded(entropy=np.full((2, 3), 0.5)))
    assert timesteps_table(analysis)["entropy"].tolist() == [0.5] * 6
    assert sequences_table(analysis)["unpadded_loss"].tolist() == [3.5, 0.25]
    assert len(reductions_table(analysis)) == 5
    assert all(len(download(analysis)) for download in (to_csv, to_json, to_parquet))
    assert (headline(analysis).value, headline(analysis).divisor) == ("0.9375", "4")
    assert "losses and no logits" in analysis.batch._repr_html_()
    assert "0.9375" in analysis._repr_html_()


@pytest.mark.parametrize("suffix", ["npz", "json", "csv", "parquet", "safetensors"])
def test_files_round_trip_losses(tmp_path, suffix):
    top = {"top_classes": [[[1, 2]] * 3, [[1, -1]] * 3], "top_probabilities": [[[0.6, 0.2]] * 3, [[0.5, NAN]] * 3]}
    batch = recorded(rank=[[1, 2, 3], [1, NAN, 1]], entropy=np.full((2, 3), 0.5), classes=4, pad_id=0, title="a", **top)
    write(batch.fields(), tmp_path / f"run.{suffix}")
    for again in (Batch.from_arrays(**read(tmp_path / f"run.{suffix}")), load(tmp_path / f"run.{suffix}")):
        assert again.shares_losses(batch)
        np.testing.assert_array_equal(again.weights, batch.weights)
        assert (again.logits, again.classes, again.pad_id, again.title) == (None, 4, 0, "a")


@pytest.mark.parametrize("batch", [recorded(rank=[[1, 2, 3], [1, NAN, 1]]), twins(4)[0]], ids=["losses", "logits"])
def test_downloaded_tables_open_as_the_losses_that_they_hold(tmp_path, batch):
    analysis = analyze(batch)
    for name, download in (("a.csv", to_csv), ("a.parquet", to_parquet)):
        (tmp_path / name).write_bytes(download(analysis))
        again = load(tmp_path / name)
        np.testing.assert_allclose(again.losses, analysis.batch_loss, rtol=1e-12)
        np.testing.assert_array_equal(again.rank, analysis.rank)
        assert analyze(again).value == pytest.approx(analysis.value)


def test_tables_that_pandas_wrote_hold_what_was_not_recorded_as_missing_values(tmp_path):
    """NaN becomes an empty cell in CSV, and null in Parquet; a missing target is refused as ever."""
    table = pd.DataFrame(
        {
            "sequence": [0, 0, 1, 1],
            "timestep": [0, 1, 0, 1],
            "target": [1, 2, 1, 0],
            "log_prob": [-0.5, -1.0, -2.0, NAN],
        }
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        np.testing.assert_array_equal(load(tmp_path / name).losses, [[0.5, 1.0], [2.0, NAN]])
    table["target"] = [1, 2, 1, NAN]
    table.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FormatError) as error:
        read(tmp_path / "a.parquet")
    assert str(error.value) == "Row 3, column `target` is missing. Write a number, or NaN where there is none."


def test_analyses_of_the_same_losses_share_them_and_of_others_do_not():
    batch = recorded(rank=[[1, 2, 3], [1, 1, 1]])
    assert batch.replace(weights=np.ones((2, 3))).shares_losses(batch)
    assert not batch.replace(rank=np.ones((2, 3))).shares_losses(batch)
    assert not batch.replace(losses=np.ones((2, 3))).shares_losses(batch)
    assert not batch.replace(rank=None).shares_losses(batch)
    assert not Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=TARGETS).shares_losses(batch)


@pytest.mark.parametrize("library", ["tensorflow", "pytorch", "jax", "numpy"])
@pytest.mark.parametrize(
    "batch",
    [
        recorded(),
        recorded(weights=None, ignore_id=-100),
        recorded(weights=None, targets=np.abs(TARGETS), losses=np.ones((2, 3))),
        recorded(weights=None, lengths=[3, 5], losses=np.ones((2, 3))),
    ],
    ids=["masked", "an unrecorded loss counts", "all count", "an impossible length"],
)
@pytest.mark.usefixtures("x64_as_it_was")
def test_scripts_reproduce_the_number_from_the_losses(library, batch):
    for settings_ in (Settings(), Settings(reduction="sequence_means"), Settings(reduction="language_model")):
        analysis = analyze(batch, settings_)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code(analysis, library), {})  # noqa: S102
        np.testing.assert_allclose(float(out.getvalue()), analysis.value, rtol=1e-12)


def test_analyze_of_losses_loads_no_tensorflow(tmp_path):
    np.savez(tmp_path / "losses.npz", losses=np.array(LOSSES), targets=np.array(TARGETS), weights=np.array(WEIGHTS))
    code = (
        "import sys; from lossviz.cli import main\n"
        f"try: main(['analyze', {str(tmp_path / 'losses.npz')!r}])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0.9375" in done.stdout
