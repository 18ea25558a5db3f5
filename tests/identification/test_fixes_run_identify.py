"""Every fix of `identify` runs in a loop that makes the mistake, and gives the mean of what counts by any mask."""

from itertools import combinations, product

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze, identify
from lossviz.fixes import FIXES, MEAN, REDUCE, fix_of
from tests.golden import FRACTIONAL, LENGTHS, TARGETS, golden_batch
from tests.loops import LIBRARIES, held, losses_of, mean_of, on_ranks, run, weights_of

WITHIN = np.arange(5) < LENGTHS[:, None]
INPUTS = np.concatenate([[[3]] * 3, TARGETS[:, :-1]], axis=1)
BROKEN = golden_batch().logits.copy()
BROKEN[~WITHIN] = np.nan
LOGIT = np.random.default_rng(5).normal(0, 2, (3, 5, 1))
IDS = {"pad_id": 0, "eos_id": 1, "inputs": INPUTS}

BATCHES = {
    "lengths": golden_batch(**IDS),
    "weights": golden_batch(**IDS, weights=FRACTIONAL),
    "pad id": golden_batch(**IDS, lengths=None),
    "ignore id": golden_batch(**IDS, lengths=None, ignore_id=-100, targets=np.where(WITHIN, TARGETS, -100)),
    "no mask": golden_batch(inputs=INPUTS, lengths=None),
    "NaN under the mask": golden_batch(**IDS, logits=BROKEN),
    "half precision": golden_batch(**IDS, logits=golden_batch().logits.astype(np.float16)),
    "one logit": Batch.from_arrays(logits=LOGIT, targets=np.ones((3, 5), int), lengths=LENGTHS),
    "one logit, weights": Batch.from_arrays(logits=LOGIT, targets=np.ones((3, 5), int), weights=WITHIN / 2),
}
ANALYSES = {
    name: analyze(batch, Settings(reduction="classification") if batch.shape[2] == 1 else None)
    for name, batch in BATCHES.items()
}
EACH = pytest.mark.parametrize("library", LIBRARIES)
CLASS_WEIGHTS = np.array([0.5, 2.0, 1.0, 3.0, 1.5, 0.25])
EPSILON = 0.1
IDS_OF = (np.int64, np.int32)


def loop_of(name):
    """What the loop holds under each mistake at once: where one mends a name, it holds it as the mistake has it."""
    analysis = ANALYSES[name]
    losses = analysis.batch_loss
    halves = [slice(0, 1), slice(1, 3)]
    parts = [(losses[rows], analysis.weights[rows]) for rows in halves]
    more = {"losses": losses, "class_weights": CLASS_WEIGHTS, "epsilon": EPSILON}
    return held(analysis.batch, **more, micro_batches=parts, batches=parts)


def broken(code, loop):
    """The loop before the fix of a code."""
    tokens = np.concatenate([np.full((3, 1), 3), loop["targets"]], axis=1)
    order = np.array([2, 0, 1])
    return {
        "RED07": {"losses": loop["losses"].reshape(-1, 1)},
        "SHF01": {"tokens": tokens, "labels": tokens, "targets": loop.get("inputs")},
        "SH1": {"tokens": tokens, "labels": tokens, "targets": np.roll(loop["targets"], -1, axis=1)},
        "SH2": {"tokens": tokens, "labels": tokens, "targets": np.roll(loop["targets"], -1, axis=1)},
        "SHF08": {"logits": loop["logits"].transpose(1, 0, 2)},
        "SHF10": {"logits": loop["logits"][order], "order": order},
    }.get(code, {})


def expected(code, name):
    """What `loss` has to be, in float64: Σ w·loss ÷ Σ w, smoothed or by class where the fix says so."""
    analysis = ANALYSES[name]
    weights, losses = analysis.weights, analysis.batch_loss
    if code == "RED10":
        scores = np.where(np.isfinite(analysis.scores), analysis.scores, 0.0).astype(np.float64)
        log_p = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        losses = np.where(weights != 0, (1 - EPSILON) * losses - EPSILON * log_p.mean(axis=-1), np.nan)
    if code == "RED09":
        weights = weights * CLASS_WEIGHTS[np.where(weights != 0, analysis.batch.targets, 0)]
    return mean_of(losses, weights)


def near(number):
    """8 · 2⁻²⁴ · 8: what float32 leaves of a sum of logits below 8."""
    return pytest.approx(number, rel=1e-6, abs=2**-18)


def test_fixes_are_tried_on_every_mask():
    masks = [ANALYSES[name].mask_name for name in BATCHES]
    assert masks == ["lengths", "weights", "nonpad", "ignore_id", "none", *3 * ["lengths"], "weights"]
    assert [name for name, batch in BATCHES.items() if batch.shape[2] == 1] == ["one logit", "one logit, weights"]
    oracle = {name: losses_of(batch.logits, batch.targets) for name, batch in BATCHES.items() if batch.shape[2] > 1}
    for name, losses in oracle.items():
        counts = weights_of(BATCHES[name]) != 0
        np.testing.assert_allclose(losses[counts], ANALYSES[name].batch_loss[counts], rtol=0, atol=1e-12)


@pytest.mark.parametrize("code", [code for code in FIXES if code != "RED03"])
@EACH
def test_fix_gives_the_mean_of_what_counts(code, library):
    for name, analysis in ANALYSES.items():
        loop = loop_of(name)
        if code in ("SHF01", "SH1", "SH2") and "inputs" not in loop:
            continue
        names = run(fix_of([code], analysis)[library], library, loop | broken(code, loop))
        if code != "PAD17":
            assert float(names.get("loss", names.get("nll"))) == near(expected(code, name)), name
        if "perplexity" in names:
            assert float(names["perplexity"]) == pytest.approx(np.exp(expected(code, name)), rel=1e-5), name


def test_fix_in_tensorflow_runs_with_ids_of_32_bits():
    for code, (name, analysis) in product(("MOD01", "MOD02", "PAD17", "RED09", "RED10"), ANALYSES.items()):
        wide, short = (run(fix_of([code], analysis)["TensorFlow"], "TensorFlow", loop_of(name), ids) for ids in IDS_OF)
        assert {key: float(wide[key]) for key in ("loss", "accuracy") if key in wide} == {
            key: float(short[key]) for key in ("loss", "accuracy") if key in short
        }


@EACH
def test_fix_of_the_accuracy_counts_no_padding(library):
    for name, analysis in ANALYSES.items():
        right = analysis.prediction == analysis.batch.targets
        names = run(fix_of(["PAD17"], analysis)[library], library, loop_of(name))
        assert float(names["accuracy"]) == near(analysis.weights[right].sum() / analysis.weights.sum()), name


@EACH
def test_fix_of_ranks_divides_by_what_counts_on_all(library, monkeypatch):
    for name, analysis in ANALYSES.items():
        code = fix_of(["RED03"], analysis)[library]
        lines = [line for line in code.splitlines() if not line.startswith("weights = ")]
        loops = [{"losses": losses, "weights": weights} for losses, weights in loop_of(name)["micro_batches"]]
        losses = [float(names["loss"]) for names in on_ranks("\n".join(lines), library, loops, monkeypatch)]
        together = sum(losses) / (1 if library == "TensorFlow" else 2)
        assert together == near(expected("RED03", name)), name


STEPS = (
    ("MOD01", "MOD02", "NUM01", "NUM06", "NUM08", "SHF01", "SHF02", "SHF08", "SHF10"),
    ("PAD01", "PAD06"),
    ("PAD03", "RED01", "RED04", "RED07", "RED15"),
    ("RED13",),
)
"""A loss, a mask, a way and a unit, as `identify` combines them."""


@EACH
def test_fix_of_two_mistakes_gives_the_mean_of_what_counts(library):
    analysis, loop = ANALYSES["lengths"], loop_of("lengths")
    pairs = [pair for steps in combinations(STEPS, 2) for pair in product(*steps)]
    assert len(pairs) == 18 + 45 + 9 + 10 + 2 + 5
    numbers = {}
    for pair in pairs:
        before = loop | broken(pair[0], loop) | broken(pair[1], loop)
        numbers[pair] = float(run(fix_of(pair, analysis)[library], library, before)["loss"])
    right = near(expected("", "lengths"))
    assert {pair: number for pair, number in numbers.items() if number != right} == {}


def test_fix_reduces_once():
    """Whatever is combined: two reductions would be two numbers."""
    reductions = {line.step for lines in FIXES.values() for line in lines if line.place == REDUCE}
    assert MEAN.step in reductions
    for pair in combinations(FIXES, 2):
        code = fix_of(pair, ANALYSES["lengths"])["PyTorch"]
        assert sum(line.startswith(("loss = ", "nll = ")) for line in code.splitlines()) in (0, 1), pair


@pytest.mark.parametrize(
    ("reported", "code"),
    [("0.9667", "PAD01"), ("0.9200", "C05"), ("1.2900", "PAD04"), ("1.3182", "PAD03"), ("0.9857", "C14")],
)
def test_match_brings_the_fix_of_what_it_names(reported, code):
    analysis = ANALYSES["lengths"]
    match = identify(analysis, reported)[0]
    assert match.code == code
    bug = {"C05": "PAD02", "C14": "RED04"}.get(code, code)
    assert match.fix == fix_of([bug], analysis)
    for library in LIBRARIES:
        assert float(run(match.fix[library], library, loop_of("lengths"))["loss"]) == near(13.8 / 11)


def test_match_of_the_accuracy_brings_its_fix():
    analysis = ANALYSES["lengths"]
    _, match = identify(analysis, "0.9667", accuracy="0.8667")
    assert (match.code, match.fix) == ("PAD17", fix_of(["PAD17"], analysis))
