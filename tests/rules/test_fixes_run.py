"""Every fix that a rule writes runs in a loop that has the batch's names, and gives what the finding promises.

No fix is left out: those that no number is promised of have a test of their own below.
"""

import ast

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch, analyze
from lossviz.rules import RULES
from tests.golden import FRACTIONAL
from tests.loops import LIBRARIES, execute, gradient, held, losses_of, mean_of, on_ranks, run, tensor, weights_of
from tests.rules.asking import sample, silent
from tests.rules.fix_cases import of_samples, others
from tests.rules.numeric.test_num07_more_than_32_bits import case as huge

CASES = {str(case): case for case in (*of_samples(), *others())}
FOUND = {name: case.finding for name, case in CASES.items()}
EACH = pytest.mark.parametrize("library", LIBRARIES)
RANKED = "RED03 sample"
OWN_TEST = {
    "MOD03 sample": "the number was right",
    "NUM03 sample": "the loss without the mask is not known",
    "NUM03 ignore id": "likewise",
    "NUM06 sample": "what overflowed is lost",
    "NUM06 coarse": "what was rounded is lost",
    "NUM09 sample": "it finds the NaN",
    "PAD06 labels": "what was replaced is lost",
    "PAD09 below 0": "it refuses what no length can be",
    "PAD10 nothing in it": "a mean of the other sequences",
    "PAD10 weights": "likewise",
    "PAD11 sample": "there is no mean of nothing",
    "PAD13 sample": "there are no logits for the class that lacks",
    "PAD13 from 1": "all labels move",
    "PAD13 below 0": "it refuses what no label can be",
    "PAD14 sample": "the tokenizer says what counts",
    "PAD15 fractions": "two divisors are right",
    "PAD15 negative": "it refuses what no mask has",
    "PAD18 sample": "the number was right",
    "SHF03 sample": "the model has to read other inputs",
    "SHF03 ignore id": "likewise",
    RANKED: "it takes two ranks",
}
"""Fixes for which no number is promised, each with a test of its own, and why."""

PROMISED = [name for name in CASES if name not in OWN_TEST]


def after(name, library, **more):
    """The names of the loop after the fix."""
    case = CASES[name]
    return run(FOUND[name].fix[library], library, held(case.batch, **case.loop) | more)


def near(number):
    """What float32 leaves of a sum of logits below 16: 8 · 2⁻²⁴ · 16, and as much of the sum of the losses."""
    return pytest.approx(number, rel=1e-6, abs=8 * 2**-24 * 16)


def test_fixes_of_every_rule_are_tried():
    assert {case.code for case in CASES.values()} | {"NUM07"} == {rule.code for rule in RULES}
    assert None not in FOUND.values()


def test_fixes_without_a_test_of_their_own_promise_a_number():
    assert [name for name in PROMISED if FOUND[name].loss_if_fixed is None] == []
    assert [name for name in OWN_TEST if FOUND[name].repaired is not None] == []


@pytest.mark.parametrize("name", PROMISED)
@EACH
def test_fix_gives_the_number_that_the_finding_promises(name, library):
    names, found = after(name, library), FOUND[name]
    given = {"loss", "nll"} & set(names)
    for number in given:
        assert float(names[number]) == near(found.loss_if_fixed)
    if found.repaired is None:
        assert len(given) == 1  # it is the loop that is mended, not its arrays
        return
    weights = names.get("weights", weights_of(CASES[name].batch))
    counted = np.where(names["targets"] == -100, 0, weights)
    assert mean_of(losses_of(names["logits"], names["targets"]), counted) == near(found.loss_if_fixed)
    if weights.shape == found.repaired.targets.shape and CASES[name].code != "SHF04":  # which cuts a timestep off
        assert weights.tolist() == weights_of(found.repaired).tolist()


@pytest.mark.parametrize("name", [name for name in PROMISED if FOUND[name].effect > 1e-3])
def test_fix_is_needed_to_give_that_number(name):
    batch, found = CASES[name].batch, FOUND[name]
    now = float(analyze(batch).value) if batch.reported is None else float(batch.reported)
    assert now != near(found.loss_if_fixed)


@pytest.mark.parametrize("name", ["NUM01 sample", "NUM02 sample", "NUM05 sample", "NUM04 sample"])
@EACH
def test_fix_of_what_is_not_finite_has_the_gradient_of_the_mean(name, library):
    """(softmax(z) − [v = y]) · w ÷ Σ w, and 0 under the mask."""
    case = CASES[name]
    weights = weights_of(case.batch)
    logits = np.where((weights != 0)[..., None], case.batch.logits, 0).astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = (shares - np.eye(8)[case.batch.targets]) * (weights / weights.sum())[..., None]
    found = gradient(FOUND[name].fix[library], library, held(case.batch, **case.loop))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2**-22)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@EACH
def test_fix_of_attention_leaves_every_query_a_number(dtype, library):
    """A query of two keys has their softmax, one of none has 0."""
    scores = np.array([[[1.0, 3.0], [2.0, 5.0]]], dtype)
    mask = np.array([[[True, True], [False, False]]])
    names = after("NUM05 sample", library, scores=scores, attention_mask=mask)
    share = 1 / (1 + np.exp(2))
    np.testing.assert_allclose(names["attention"], [[[share, 1 - share], [0, 0]]], rtol=0, atol=1e-3)
    coarse = after("NUM06 coarse", library, scores=scores, attention_mask=mask)["scores"]
    assert coarse.dtype == dtype
    assert np.isfinite(coarse).all()
    assert (coarse[0, 0] == scores[0, 0]).all()
    assert (coarse[0, 1] <= np.finfo(dtype).min / 2).all()


@EACH
def test_fix_of_log_probabilities_gives_the_logits_of_the_head(library):
    names = after("MOD03 sample", library, hidden=np.array([[[1.0, 2.0]]]), head=lambda hidden: 3 * hidden)
    assert names["logits"].tolist() == [[[3.0, 6.0]]]


@pytest.mark.parametrize(("name", "finite"), [("NUM03 sample", 15), ("NUM03 ignore id", 2)])
@EACH
def test_fix_of_an_impossible_target_allows_it_and_no_other_class(name, finite, library):
    names, batch = after(name, library), CASES[name].batch
    counts = weights_of(batch) != 0
    losses = losses_of(names["logits"], batch.targets)[counts]
    assert np.isfinite(losses).sum() == finite == counts.sum()
    assert losses.max() < np.log(batch.shape[2]) + 1e-6
    allowed = np.isfinite(batch.logits) | (np.arange(batch.shape[2]) == batch.targets[..., None])
    assert ((names["logits"] == 0) == allowed).all()
    assert silent("NUM03", batch.replace(logits=names["logits"]))


@EACH
def test_fix_of_an_overflow_computes_the_logits_in_float32(library):
    logits = after("NUM06 sample", library)["logits"]
    assert (logits.shape, logits.dtype, bool(np.isfinite(logits).all())) == ((3, 6, 8), np.float32, True)


@EACH
def test_fix_of_coarse_logits_widens_them(library):
    names = after("NUM06 coarse", library)
    assert names["logits"].dtype == np.float32
    assert names["logits"].tolist() == CASES["NUM06 coarse"].batch.logits.tolist()


@EACH
def test_fix_of_more_than_32_bits_is_the_mean_of_what_counts(library):
    [rule] = [rule for rule in RULES if rule.code == "NUM07"]
    code = rule.check(huge((43, 2047, 50000))).fix[library]
    rng = np.random.default_rng(3)
    logits, targets = rng.normal(size=(43, 5, 7)), rng.integers(0, 7, (43, 5))
    names = run(code, library, {"logits": logits, "targets": targets})
    np.testing.assert_allclose(names["losses"], losses_of(logits, targets), rtol=0, atol=1e-5)
    assert float(names["loss"]) == near(losses_of(logits, targets).mean())


def test_fix_of_a_nan_that_counts_stops_at_it_in_tensorflow(capsys):
    try:
        after("NUM09 sample", "TensorFlow")
        assert (tf.constant([1.0]) + 1).numpy().tolist() == [2.0]
        with pytest.raises(tf.errors.InvalidArgumentError, match="NaN"):
            tf.math.log(tf.constant([-1.0]))
    finally:
        tf.debugging.disable_check_numerics()


def test_fix_of_a_nan_that_counts_stops_at_it_in_pytorch():
    case = CASES["NUM09 sample"]
    try:
        with pytest.raises(AssertionError):
            after("NUM09 sample", "PyTorch")
        under_the_mask = np.where((weights_of(case.batch) != 0)[..., None], 0.0, np.nan)
        after("NUM09 sample", "PyTorch", logits=under_the_mask)
        root = torch.zeros(1, requires_grad=True)
        with (
            pytest.raises(RuntimeError, match="returned nan values"),
            pytest.warns(UserWarning, match="Error detected"),
        ):
            (root.sqrt() * 0).backward()
    finally:
        torch.autograd.set_detect_anomaly(False)


def test_fix_of_a_nan_that_counts_stops_at_it_in_jax():
    try:
        after("NUM09 sample", "JAX")
        with pytest.raises(FloatingPointError, match="nan"):
            jax.numpy.log(jax.numpy.array([-1.0]))
    finally:
        jax.config.update("jax_debug_nans", False)


@EACH
def test_fix_of_an_inverted_ignore_id_takes_the_tokens_again(library):
    targets = after("PAD06 labels", library)["targets"]
    assert targets.tolist() == [[5, 6, 1, -100, -100], [7, 1, -100, -100, -100]]


@pytest.mark.parametrize("wrong", [-1, 5])
@EACH
def test_fix_of_a_negative_length_refuses_it(wrong, library):
    assert after("PAD09 below 0", library)["weights"].tolist() == [[1, 1, 1, 1]]
    with pytest.raises((AssertionError, tf.errors.InvalidArgumentError)):
        after("PAD09 below 0", library, lengths=np.array([wrong]))


@pytest.mark.parametrize("name", ["PAD10 nothing in it", "PAD10 weights"])
@EACH
def test_fix_of_empty_sequences_is_the_mean_over_the_others(name, library):
    case = CASES[name]
    weights, losses = weights_of(case.batch), held(case.batch)["losses"]
    means = [mean_of(losses[[row]], weights[[row]]) for row in range(3) if weights[row].any()]
    assert len(means) == 2
    found = after(name, library)
    assert float(found["loss"]) == near(sum(means) / 2) == near(FOUND[name].evidence["mean over the others"])


@EACH
def test_fix_of_nothing_supervised_is_0(library):
    assert float(after("PAD11 sample", library)["loss"]) == 0
    some = np.array([[0.5, np.nan, 2.0]])
    names = after("PAD11 sample", library, losses=some, targets=np.array([[1, -100, 2]]))
    assert float(names["loss"]) == 1.25


@EACH
def test_fix_of_a_label_beyond_the_classes_gives_it_a_logit(library):
    names = after("PAD13 sample", library)
    assert names["logits"].shape == (4, 7, 11)
    assert np.isfinite(losses_of(names["logits"], names["targets"])).all()
    assert silent("PAD13", CASES["PAD13 sample"].batch.replace(logits=names["logits"], vocabulary=None))


@EACH
def test_fix_of_labels_from_1_moves_them_to_0(library):
    assert after("PAD13 from 1", library)["targets"].tolist() == [[0, 1, 3], [2, 3, 0]]


@EACH
def test_fix_of_a_negative_label_refuses_it_where_it_counts(library):
    after("PAD13 below 0", library)
    with pytest.raises((AssertionError, tf.errors.InvalidArgumentError)):
        after("PAD13 below 0", library, targets=np.array([[1, -5, 3]]))


@EACH
def test_fix_of_mask_shapes_is_what_the_tokenizer_says_of_the_targets(library):
    masks = np.array([[0, 0, 1, 1]])
    assert after("PAD14 sample", library, assistant_masks=masks)["weights"].tolist() == [[0, 1, 1]]


@EACH
def test_fix_of_an_integer_mask_inverts_it_as_numbers(library):
    names = after("PAD15 sample", library, mask=np.array([[1, 1, 0]], np.uint8))
    assert (names["weights"].tolist(), names["inverted"].tolist()) == ([[1, 1, 0]], [[0, 0, 1]])


@EACH
def test_fix_of_fractional_weights_divides_by_their_sum(library):
    assert float(after("PAD15 fractions", library)["loss"]) == near(11.35 / 10.5)


@EACH
def test_fix_of_negative_weights_refuses_them(library):
    after("PAD15 negative", library)
    with pytest.raises((AssertionError, tf.errors.InvalidArgumentError)):
        after("PAD15 negative", library, weights=-FRACTIONAL)


def test_fix_of_padding_waste_batches_like_lengths():
    batches = [batch.shape for batch in after("PAD18 sample", "TensorFlow")["dataset"]]
    assert sorted(tuple(shape) for shape in batches) == [(1, 2), (1, 8), (2, 2)]
    batches = after("PAD18 sample", "PyTorch")["batches"]
    lengths = np.array([8, 2, 2, 2])
    assert [lengths[rows].tolist() for rows in batches] == [[2, 2], [2, 8]]
    batches = after("PAD18 sample", "JAX")["batches"]
    assert [lengths[np.asarray(rows)].tolist() for rows in batches] == [[2, 2], [2, 8]]


@pytest.mark.parametrize("code", ["RED01", "RED02", "RED17"])
@EACH
def test_fix_of_micro_batches_is_pasted_where_the_loop_prints_something_else(code, library):
    """The mean of the means, their sum and the last of them are what was printed."""
    parts = CASES[f"{code} sample"].loop["micro_batches"]
    means = [mean_of(losses, weights) for losses, weights in parts]
    printed = {"RED01": np.mean(means), "RED02": np.sum(means), "RED17": means[-1]}[code]
    assert f"{printed:.5g}" == f"{float(CASES[f'{code} sample'].batch.reported):.5g}"


@EACH
def test_fix_of_ranks_has_their_mean_in_pytorch_and_jax_and_their_sum_in_tensorflow(library, monkeypatch):
    batch, found = CASES[RANKED].batch, FOUND[RANKED]
    loop = held(batch, weights=weights_of(batch))
    code = "\n".join(line for line in found.fix[library].splitlines() if not line.startswith("weights = "))
    halves = [{name: loop[name][:, part] for name in ("losses", "weights")} for part in np.split(np.arange(6), 2)]
    own = [mean_of(half["losses"], half["weights"]) for half in halves]
    assert f"{np.mean(own):.5f}" == batch.reported
    losses = [float(names["loss"]) for names in on_ranks(code, library, halves, monkeypatch)]
    together = sum(losses) if library == "TensorFlow" else sum(losses) / 2
    assert together == near(found.loss_if_fixed)


def test_fix_of_ranks_runs_on_the_one_that_there_is(monkeypatch):
    loop = held(CASES[RANKED].batch)
    found = run(FOUND[RANKED].fix["TensorFlow"], "TensorFlow", loop)
    assert float(found["loss"]) == near(FOUND[RANKED].loss_if_fixed)
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        found = run(FOUND[RANKED].fix["PyTorch"], "PyTorch", loop)
    finally:
        torch.distributed.destroy_process_group()
    assert float(found["loss"]) == near(FOUND[RANKED].loss_if_fixed)


def test_fix_of_ranks_averages_over_an_axis_of_jax():
    """Two ranks, each with half of the timesteps, and the real `pmean`."""
    batch, found = CASES[RANKED].batch, FOUND[RANKED]
    code = "\n".join(line for line in found.fix["JAX"].splitlines() if not line.startswith("weights = "))
    halves = [np.stack(np.split(array, 2, axis=1)) for array in (held(batch)["losses"], weights_of(batch))]

    def loss(losses, weights):
        return execute(code, "JAX", {"losses": losses, "weights": weights})["loss"]

    losses = jax.vmap(loss, axis_name="data")(*(tensor("JAX", half) for half in halves))
    assert float(losses.mean()) == near(found.loss_if_fixed)


@EACH
def test_fix_of_smoothing_has_neither_term_of_padding(library):
    """(1 − ε)·S/N + ε·Σ w·mean_v(−log p)/N."""
    case = CASES["RED10 sample"]
    logits, weights = np.asarray(case.batch.logits, np.float64), weights_of(case.batch)
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    smooth = 0.9 * losses_of(logits, case.batch.targets) - 0.1 * log_p.mean(axis=-1)
    number = mean_of(smooth, weights)
    assert number == pytest.approx(FOUND["RED10 sample"].loss_if_fixed, rel=1e-9)
    assert float(after("RED10 sample", library)["loss"]) == near(number)


@EACH
def test_fix_of_the_unit_is_the_perplexity_of_the_mean(library):
    found = after("RED13 sample", library)
    assert float(found["perplexity"]) == near(np.exp(FOUND["RED13 sample"].loss_if_fixed))


@EACH
def test_fix_of_inputs_starts_them_with_the_start_token(library):
    case = CASES["SHF03 sample"]
    inputs = after("SHF03 sample", library)["inputs"]
    assert inputs[:, 0].tolist() == [2, 2, 2]
    assert inputs[:, 1:].tolist() == case.batch.targets[:, :-1].tolist()
    assert silent("SHF03", case.batch.replace(inputs=inputs))
    names = after("SHF03 ignore id", library)
    assert names["inputs"].tolist() == [[2, 5, 1, 0], [2, 7, 8, 6]]
    assert names["targets"].tolist() == [[5, 1, -100, -100], [7, 8, 6, 1]]


@EACH
def test_fix_of_the_shift_reads_the_token_before_each_target(library):
    for name in ("SHF01 sample", "SHF02 sample"):
        names = after(name, library)
        assert names["targets"][:, :-1].tolist() == names["inputs"][:, 1:].tolist()
        assert names["logits"].shape[:2] == names["targets"].shape == names["weights"].shape
    assert names["targets"].tolist() == sample("SHF02", "good").targets.tolist()


@EACH
def test_fix_of_a_missing_end_ends_each_sequence_once(library):
    assert after("SHF07 sample", library)["targets"].tolist() == sample("SHF07", "good").targets.tolist()
    assert after("SHF07 some end", library)["targets"].tolist() == [[5, 6, 1, 0], [7, 8, 1, 0]]


@pytest.mark.parametrize("name", ["SHF08 sample", "SHF10 sample", "SHF10 no order of lengths"])
@EACH
def test_fix_of_the_layout_gives_the_logits_back_their_place(name, library):
    right = np.asarray(sample(CASES[name].code, "good").logits, np.float32)
    assert after(name, library)["logits"].tolist() == right.tolist()


DEVICES = {"arange", "empty", "eye", "full", "linspace", "ones", "rand", "randn", "tensor", "zeros"}
ON_CPU = {"SHF07 sample", "SHF07 some end"}
"""They make tensors of lists, in the data."""


def test_fix_in_pytorch_makes_no_tensor_without_saying_on_which_device():
    """A loop on a GPU refuses a tensor on the CPU."""
    without = {
        name
        for name, found in FOUND.items()
        for call in ast.walk(ast.parse(found.fix["PyTorch"]))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {f"torch.{made}" for made in DEVICES}
        if "device" not in {keyword.arg for keyword in call.keywords}
    }
    assert without == ON_CPU


GRAPH = {"NUM06 sample", "NUM09 sample", "PAD09 below 0", "PAD13 sample", "PAD13 below 0", "PAD18 sample"}
"""They make layers, read values in Python, or are no part of a step."""


@pytest.mark.parametrize("name", [name for name in PROMISED if name not in {*ON_CPU, *GRAPH}])
def test_fix_in_tensorflow_runs_in_a_graph_of_any_batch_size_and_length(name):
    """As `@tf.function` compiles it where neither the sequences nor the timesteps are known beforehand; ids int32."""
    case, found = CASES[name], FOUND[name]
    loop = held(case.batch, **case.loop)
    arrays = {
        key: tensor("TensorFlow", value, np.int32) for key, value in loop.items() if isinstance(value, np.ndarray)
    }
    rest = {key: tensor("TensorFlow", value) for key, value in loop.items() if key not in arrays}
    if "model" in rest:
        rest["model"] = lambda inputs: tf.constant(np.asarray(case.batch.logits, np.float32))[:, : tf.shape(inputs)[1]]
    shapes = {
        key: tf.TensorSpec([None] * min(value.ndim, 2) + value.shape[2:], value.dtype) for key, value in arrays.items()
    }

    @tf.function(input_signature=[shapes], autograph=False)
    def step(arrays):
        made = execute(found.fix["TensorFlow"], "TensorFlow", {**arrays, **rest})
        return {key: made[key] for key in ("loss", "nll", "weights", "targets", "logits") if key in made}

    traced, eager = step(arrays), after(name, "TensorFlow")
    for key, value in traced.items():
        np.testing.assert_allclose(value.numpy(), eager[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in PROMISED if name not in {*ON_CPU, *GRAPH}])
def test_fix_in_jax_is_traced(name):
    """As `@jax.jit` does it: no value is read in Python."""
    case, found = CASES[name], FOUND[name]
    loop = held(case.batch, **case.loop)
    arrays = {key: tensor("JAX", value) for key, value in loop.items() if isinstance(value, np.ndarray)}
    rest = {key: tensor("JAX", value) for key, value in loop.items() if key not in arrays}
    if "model" in rest:
        rest["model"] = lambda inputs: jax.numpy.asarray(case.batch.logits)[:, : inputs.shape[1]]

    def step(arrays):
        made = execute(found.fix["JAX"], "JAX", {**arrays, **rest})
        return {key: made[key] for key in ("loss", "nll", "weights", "targets", "logits") if key in made}

    eager, shapes = after(name, "JAX"), jax.eval_shape(step, arrays)
    assert {key: value.shape for key, value in shapes.items()} == {key: eager[key].shape for key in shapes}


def test_fixes_ask_for_nothing_but_what_a_loop_has():
    """Beside the arrays of the batch and every timestep's loss."""
    assert {key for case in CASES.values() for key in case.loop} - {*Batch.FIELDS, "losses"} == {
        *("tokens", "ids", "dataset", "batch_size", "micro_batches", "mask", "assistant_masks", "order", "go_id"),
        *("hidden", "head", "kernel", "model", "scores", "attention_mask", "allowed", "epsilon", "prompt_lengths"),
    }
