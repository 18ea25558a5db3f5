"""The matching rules of spec/padding-bugs.md §0: the order, the names, chance, and what would tell answers apart."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.identification import identify
from tests.golden import FRACTIONAL, LENGTHS, TARGETS, golden_batch, golden_logits


@pytest.fixture(scope="module")
def golden():
    return analyze(golden_batch(pad_id=0, eos_id=1))


def test_identify_mean_comes_first_with_every_name_it_has(golden):
    match, *rest = identify(golden, "1.2545")
    assert (match.rank, match.code, match.kind, rest) == (1, "C03", "convention", [])
    assert match.explanation == "Your loop divides by the 11 timesteps that count."
    assert {"C03e", "C03n", "C03z", "C05k", "C06t", "C07t", "C14n", "C18"} <= set(match.aliases)
    assert (match.how_to_distinguish, match.accidental, match.fix) == ("", False, {})


def test_identify_explains_with_the_numbers_of_the_batch(golden):
    said = {text: identify(golden, text)[0].explanation for text in ("0.9200", "0.9667", "1.2900", "0.9857", "1.4200")}
    assert said == {
        "0.9200": "Your loop divides by all 15 positions, 4 of them padding.",
        "0.9667": "Possible: your loop counts all 15 positions, 4 of them padding.",
        "1.2900": "Your loop leaves out every target with the pad id 0, 1 of which counts.",
        "0.9857": "Your loop divides by the 11 timesteps that count and the first label of 3 sequences.",
        "1.4200": "Your loop averages the losses of each sequence, then averages the 3 means.",
    }


def test_identify_bug_brings_its_fix_for_each_library(golden):
    assert identify(golden, "0.9667")[0].fix == {
        "TensorFlow": "weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)\n"
        "losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)\n"
        "loss = tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0)) / tf.reduce_sum(weights)",
        "PyTorch": "weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()\n"
        'losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")\n'
        "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()",
        "JAX": "weights = (jnp.arange(targets.shape[1]) < lengths[:, None]).astype(jnp.float32)\n"
        "losses = optax.softmax_cross_entropy_with_integer_labels(logits, targets)\n"
        "loss = jnp.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()",
    }
    assert set(identify(golden, "0.9200")[0].fix) == {"TensorFlow", "PyTorch", "JAX"}


def test_identify_ranks_are_1_to_n_known_formulas_first(golden):
    matches = identify(golden, "0.9")
    assert [match.rank for match in matches] == list(range(1, len(matches) + 1))
    assert [match.code for match in matches[:2]] == ["C05", "PAD07"]
    assert [len(match.codes) for match in matches[:4]] == [1, 1, 1, 1]


def test_identify_few_digits_make_a_combination_accidental(golden):
    known = identify(golden, "0.92")
    assert [(match.code, match.accidental) for match in known] == [("C05", False)]
    rest = [match for match in identify(golden, "0.9") if len(match.codes) > 1]
    assert {("PAD08", "C14"), ("SHF08", "C14"), ("LS5", "C11")} <= {match.codes for match in rest}
    assert all(match.accidental for match in rest)
    assert {match.explanation.split(":")[0] for match in rest} == {"Also consistent with the number, perhaps by chance"}


def test_identify_guessed_smoothing_needs_five_digits(golden):
    """ε = 0.1 over V: 1.35172."""
    accidental = {text: identify(golden, text)[0].accidental for text in ("1.352", "1.3517", "1.35172")}
    assert accidental == {"1.352": True, "1.3517": False, "1.35172": False}
    assert identify(golden, "1.352", smoothing=0.1)[0].accidental is False


def test_identify_mistakes_of_one_number_name_each_other(golden):
    """Every sequence ends with the stop token, so that leaving it out is ending one timestep earlier."""
    first, second = identify(golden, "1.5750")
    assert (first.code, first.aliases, second.code, second.aliases) == ("PAD05", ("PAD08",), "PAD08", ("PAD05",))
    apart = (
        "Every sequence here ends with the stop token. A batch with a sequence cut off before it can tell them apart."
    )
    assert (first.how_to_distinguish, second.how_to_distinguish) == (apart, apart)


def test_identify_stop_token_that_does_not_end_tells_the_mistakes_apart():
    targets = TARGETS.copy()
    targets[0, 4] = 2
    batch = golden_batch(targets=targets, logits=golden_logits(targets), eos_id=1)
    assert [match.code for match in identify(batch, "1.4111")] == ["PAD05"]  # 12.7 ÷ 9
    assert [match.code for match in identify(batch, "1.5750")] == ["PAD08"]


def test_identify_cannot_tell_where_all_sequences_are_full():
    [match, *_] = identify(golden_batch(lengths=[5, 5, 5], pad_id=0), "0.96667")
    assert match.code == "C03"
    assert {"C04", "C05", "C07", "C09", "PAD01", "PAD02", "PAD03", "RED05"} <= set(match.aliases)
    assert match.how_to_distinguish.startswith(
        "This batch cannot tell them apart: in every sequence all 5 timesteps count. A batch with unequal lengths can."
    )


def test_identify_cannot_tell_where_all_lengths_are_equal():
    """5.7 + 1.9 + 4.8 over 9."""
    [match, *_] = identify(golden_batch(lengths=[3, 3, 3]), "1.37778")
    assert (match.code, {"C07", "RED05"} <= set(match.aliases)) == ("C03", True)
    assert match.how_to_distinguish == (
        "This batch cannot tell them apart: in every sequence 3 timesteps count. A batch with unequal lengths can."
    )


def test_identify_cannot_tell_from_one_sequence():
    batch = golden_batch(logits=golden_logits()[1:2], targets=TARGETS[1:2], lengths=[4])
    [match, *_] = identify(batch, "0.60000")
    assert (match.code, "C07" in match.aliases) == ("C03", True)
    assert (
        match.how_to_distinguish == "One sequence cannot tell them apart. A batch of several with unequal lengths can."
    )


def test_identify_sums_that_coincide_are_named():
    """Lengths 5, 4, 3 give N + B = B·T = 15."""
    matches = identify(golden_batch(lengths=[5, 4, 3]), "0.93333")  # 14 ÷ 15
    assert (matches[0].code, {"C14", "RED04", "PAD02"} <= set(matches[0].aliases)) == ("C05", True)
    assert matches[0].how_to_distinguish.startswith(
        "Here N + B = B·T = 15. A batch where they differ can tell them apart."
    )


def test_identify_near_values_are_told_apart_by_more_digits(golden):
    first, second, *_ = identify(golden, "1.25", precision="bfloat16")
    assert first.code == "C03"
    assert first.how_to_distinguish == f"More digits would tell it from {second.code}: 1.25455 or 1.25542."


def test_identify_bug_is_sure_where_the_arrays_say_so(golden):
    """A real token has the pad id; nothing in the arrays says that the stop token was meant to count."""
    assert identify(golden, "1.2900")[0].explanation.startswith("Your loop")
    assert identify(golden, "1.5750")[0].explanation.startswith("Possible: your loop")


def test_identify_combination_that_adds_nothing_is_left_out(golden):
    """float16 logits change 0.96667 to 0.96672: with four digits that is no second answer."""
    assert [match.codes for match in identify(golden, "0.9667")] == [("PAD01",)]
    assert ("NUM06", "PAD01") in [match.codes for match in identify(golden, "0.96672")]


def test_identify_two_mistakes_at_once(golden):
    """No mask, and the sum ÷ 3 sequences: 14.5 ÷ 3."""
    [match, *_] = identify(golden, "4.83333")
    assert (match.codes, match.kind) == (("PAD01", "C06"), "bug")
    assert match.title == "Padding counts, sum ÷ B (encoder-decoder)"
    assert match.explanation == (
        "Possible: your loop counts all 15 positions, 4 of them padding, and divides by the 3 sequences."
    )


def test_identify_perplexity_and_bits_of_a_mistake(golden):
    kinds = {text: identify(golden, text)[0] for text in ("2.62916", "1.39460")}  # exp and ÷ ln 2 of 14.5 ÷ 15
    assert {text: (match.codes, match.kind) for text, match in kinds.items()} == {
        "2.62916": (("PAD01", "C12"), "bug"),
        "1.39460": (("PAD01", "C11"), "bug"),
    }


def test_identify_half_precision_allows_more(golden):
    assert [match.code for match in identify(golden, "1.2581")] == []
    assert identify(golden, "1.2581", precision="bfloat16")[0].code == "C03"


def test_identify_follows_the_mask_in_use():
    """With the mask of lengths 14.5 ÷ 15 is a bug; where everything counts it is the mean."""
    batch = golden_batch(weights=FRACTIONAL)
    assert identify(batch, "1.08095")[0].code == "C03"  # 11.35 ÷ 10.5
    assert identify(batch, "1.25455", settings=Settings(mask="lengths"))[0].code == "C03"
    assert identify(analyze(batch), "0.96667", settings=Settings(mask="none"))[0].code == "C03"


def test_identify_accuracy_that_counts_padding_makes_the_bug_likelier(golden):
    """13 of 15 are right, 9 of the 11 that count."""
    loss, accuracy = identify(golden, "0.9667", accuracy="0.8667")
    assert loss.explanation == (
        "Your loop counts all 15 positions, 4 of them padding, and its accuracy counts them too."
    )
    assert (accuracy.code, accuracy.rank, accuracy.kind) == ("PAD17", 2, "bug")
    assert accuracy.explanation == (
        "Your accuracy of 0.8667 is that of all 15 positions; over the 11 timesteps that count it is 0.8182."
    )
    assert identify(golden, "0.9667", accuracy=86.67)[1].code == "PAD17"
    assert [match.code for match in identify(golden, "0.9667", accuracy="0.8182")] == ["PAD01"]


def test_identify_batch_and_analysis_answer_alike(golden):
    from_batch = identify(golden.batch, "0.9200")
    assert [(m.code, m.aliases, m.value) for m in from_batch] == [
        (m.code, m.aliases, m.value) for m in identify(golden, "0.9200")
    ]


def test_identify_inputs_as_targets_and_as_mask():
    """The inputs are the targets one step later, so that a loop that does not shift compares with them."""
    inputs = np.concatenate([np.full((3, 1), 5), TARGETS[:, :-1]], axis=1)
    logits = np.random.default_rng(0).normal(size=(3, 5, 6))
    batch = Batch.from_arrays(logits=logits, targets=TARGETS, lengths=LENGTHS, inputs=inputs, pad_id=0)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    mask = np.arange(5) < LENGTHS[:, None]
    mean = -(np.take_along_axis(log_p, inputs[..., None], -1)[..., 0] * mask).sum() / 11
    [match, *_] = identify(batch, f"{mean:.5f}")
    assert (match.code, match.title) == ("SHF01", "Inputs as targets")
    loss = -np.take_along_axis(log_p, TARGETS[..., None], -1)[..., 0]
    [match, *_] = identify(batch, f"{loss[inputs != 0].mean():.5f}")
    assert (match.code, match.title) == ("SHF05", "Mask of the inputs")
