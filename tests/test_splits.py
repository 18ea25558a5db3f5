"""Mean of means against the mean: golden values by hand, laws against a re-derivation, and words."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lossviz import Batch, analyze
from lossviz.errors import InputError
from lossviz.splits import KINDS, Cut, cut_evenly, cut_typed, simulate_split
from tests.golden import FRACTIONAL, LENGTHS, LOSS, golden_batch
from tests.strategies import batches

WEIGHTS = (np.arange(5) < LENGTHS[:, None]).astype(float)


def golden(kind, text, **changes):
    batch = golden_batch(**changes)
    return simulate_split(analyze(batch), cut_typed(kind, batch.shape[KINDS[kind].axis], text))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("micro-batches", "0 | 1, 2", (6.8 / 5 + 7 / 6) / 2),
        ("ranks", "1, 1, 1", (6.8 / 5 + 2.4 / 4 + 4.6 / 2) / 3),
        ("chunks", "3, 2", (12.2 / 8 + 1.6 / 3) / 2),
    ],
)
def test_split_of_golden_gives_the_values_of_the_catalogue(kind, text, value):
    """1.2633, 1.42 and 1.0292; the mean stays 13.8 / 11."""
    split = golden(kind, text)
    assert split.mean_of_means == pytest.approx(value, rel=1e-6)
    assert split.divided_once == pytest.approx(13.8 / 11, rel=1e-6)
    assert split.sum_of_means == pytest.approx(value * len(split.counts), rel=1e-6)
    assert split.torch_mean_of_means == split.mean_of_means
    assert not split.agrees


def test_split_of_two_micro_batches_holds_their_sums_counts_and_means():
    split = golden("micro-batches", "1, 2")
    assert split.sums == pytest.approx([6.8, 7.0], rel=1e-6)
    assert split.counts.tolist() == [5, 6]
    assert split.means == pytest.approx([1.36, 7 / 6], rel=1e-6)
    assert split.part_of.tolist() == [[0] * 5, [1] * 5, [1] * 5]
    assert split.coefficients == pytest.approx(WEIGHTS * np.array([[1 / 10], [1 / 12], [1 / 12]]), rel=1e-12)
    assert split.coefficients_once == pytest.approx(WEIGHTS / 11, rel=1e-12)
    expected = np.where(WEIGHTS == 0, np.nan, np.array([[1.1], [11 / 12], [11 / 12]]))
    assert split.ratio == pytest.approx(expected, rel=1e-12, nan_ok=True)


@given(batches(), st.sampled_from(list(KINDS)), st.integers(1, 5), st.integers(0, 2**31))
def test_split_weighs_each_timestep_by_its_part(batch, kind, count, seed):
    """Law: both numbers are Σ coefficient · loss, and both are the ones that the definition gives."""
    analysis = analyze(batch)
    axis = KINDS[kind].axis
    length = batch.shape[axis]
    order = np.random.default_rng(seed).permutation(length)
    cut = Cut(kind, tuple(tuple(map(int, sorted(part))) for part in np.array_split(order, count) if len(part)))
    split = simulate_split(analysis, cut)
    weighted = analysis.unpadded_loss
    parts = [np.index_exp[list(part)] if axis == 0 else np.index_exp[:, list(part)] for part in cut.parts]
    own = [(weighted[part].sum(), analysis.weights[part].sum()) for part in parts]
    means = [total / weight if weight else 0.0 for total, weight in own]
    assert split.mean_of_means == pytest.approx(np.mean(means), rel=1e-9, abs=1e-9)
    loss = np.where(analysis.mask, analysis.batch_loss, 0)
    assert (split.coefficients * loss).sum() == pytest.approx(split.mean_of_means, rel=1e-9, abs=1e-9)
    assert (split.coefficients_once * loss).sum() == pytest.approx(split.divided_once, rel=1e-9, abs=1e-9)
    assert split.divided_once == pytest.approx(analysis.value, rel=1e-9, abs=1e-9)


def test_split_is_what_torch_prints():
    """Mean of `cross_entropy(..., ignore_index)` over micro-batches, with a micro-batch in which nothing counts too."""
    for lengths, is_number in (([5, 4, 2], True), ([5, 0, 2], False)):
        batch = golden_batch(lengths=lengths)
        logits = torch.from_numpy(np.asarray(batch.logits, np.float64))
        targets = torch.from_numpy(np.where(np.arange(5) < np.array(lengths)[:, None], batch.targets, -100)).long()
        printed = sum(torch.nn.functional.cross_entropy(logits[b], targets[b]).item() for b in range(3)) / 3
        split = simulate_split(analyze(batch), cut_evenly("micro-batches", 3, 3))
        assert split.torch_mean_of_means == pytest.approx(printed, rel=1e-6, nan_ok=True)
        assert math.isfinite(printed) is is_number
        assert math.isfinite(split.mean_of_means)


SENTENCES = [
    (
        "micro-batches",
        "0 | 1, 2",
        {},
        (
            "Micro-batch 0 holds 5 timesteps that count and micro-batch 1 holds 6, but each mean counts one half: "
            "a timestep in 0 weighs 1/10, one in 1 weighs 1/12, and not 1/11."
        ),
    ),
    (
        "ranks",
        "1, 1, 1",
        {},
        (
            "Rank 0 holds 5 timesteps that count and rank 2 holds 2, but each of the 3 means counts one third: "
            "a timestep in 0 weighs 1/15, one in 2 weighs 1/6, and not 1/11."
        ),
    ),
    (
        "chunks",
        "1, 1, 1, 1, 1",
        {},
        (
            "Chunk 0 holds 3 timesteps that count and chunk 4 holds 1, but each of the 5 means counts 1/5: "
            "a timestep in 0 weighs 1/15, one in 4 weighs 1/5, and not 1/11."
        ),
    ),
    (
        "micro-batches",
        "1, 2",
        {"lengths": None, "weights": FRACTIONAL},
        (
            "Micro-batch 0 holds weights of 4 and micro-batch 1 holds 6.5, but each mean counts one half: "
            "a timestep of weight 1 in 0 weighs 1/8, one in 1 weighs 1/13, and not 1/10.5."
        ),
    ),
    (
        "ranks",
        "1, 1, 1",
        {"lengths": [4, 4, 4]},
        (
            "Each rank holds 4 timesteps that count, so a timestep weighs 1/12 either way: "
            "the mean of the means is the mean."
        ),
    ),
    (
        "ranks",
        "1, 1, 1",
        {"lengths": [5, 0, 2]},
        (
            "Rank 1 holds no timestep that counts: its mean is 0 ÷ 0, NaN in PyTorch, which makes the whole number "
            "NaN; where it is made 0, the sum is still divided by 3. Rank 0 holds 5 timesteps that count and rank 2 "
            "holds 2, but each of the 3 means counts one third: a timestep in 0 weighs 1/15, one in 2 weighs 1/6, "
            "and not 1/7."
        ),
    ),
    (
        "micro-batches",
        "2, 1",
        {"lengths": [2, 2, 0]},
        (
            "Micro-batch 1 holds no timestep that counts: its mean is 0 ÷ 0, NaN in PyTorch, which makes the whole "
            "number NaN; where it is made 0, the sum is still divided by 2. A timestep elsewhere weighs 1/8, "
            "and not 1/4."
        ),
    ),
    ("ranks", "3", {}, "There is one part: its mean is the mean."),
    ("ranks", "1, 2", {"lengths": [0, 0, 0]}, "No timestep counts: every mean is 0 ÷ 0."),
]


@pytest.mark.parametrize(("kind", "text", "changes", "sentence"), SENTENCES, ids=range(len(SENTENCES)))
def test_split_says_why_the_numbers_differ_or_agree(kind, text, changes, sentence):
    assert golden(kind, text, **changes).sentence == sentence


def test_split_says_where_agreement_is_chance():
    """Uniform logits: every mean is ln 4, whatever weighs what."""
    batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=np.ones((2, 3), int), lengths=[3, 1])
    split = simulate_split(analyze(batch), cut_evenly("ranks", 2, 2))
    assert split.agrees
    assert split.sentence.endswith("and not 1/4. That the two numbers agree here is chance.")


def test_split_of_a_loss_that_is_nan_is_nan_and_still_says_what_weighs_what():
    loss = LOSS.copy()
    loss[1, 1] = np.nan
    logits = np.repeat(np.where(np.isnan(loss), np.nan, 0.0)[..., None], 6, axis=-1)
    split = golden("ranks", "1, 2", logits=logits)
    assert np.isnan([split.mean_of_means, split.divided_once]).all()
    assert split.means[0] == pytest.approx(math.log(6), rel=1e-6)
    assert split.sentence.startswith("Rank 0 holds 5 timesteps that count and rank 1 holds 6,")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1, 2", ((0,), (1, 2))),
        ("1 2", ((0,), (1, 2))),
        (" 3 ", ((0, 1, 2),)),
        ("0 | 1, 2", ((0,), (1, 2))),
        ("2 0|1", ((2, 0), (1,))),
        ("0-1 | 2", ((0, 1), (2,))),
    ],
)
def test_typed_cut_is_read(text, parts):
    assert cut_typed("micro-batches", 3, text) == Cut("micro-batches", parts)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("ranks", "1, 1", "The sizes must add up to the 3 sequences of the batch; 1 + 1 is 2."),
        ("chunks", "1 1 1 1 1 1 1 1 1", ("The sizes must add up to the 3 timesteps of the batch; "
         "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + … is 9.")),
        ("ranks", "", "The sizes must add up to the 3 sequences of the batch; none was typed."),
        ("ranks", "0, 3", "Each rank must hold a sequence; rank 0 holds none."),
        ("ranks", "0, 1 | ", "Each rank must hold a sequence; rank 1 holds none."),
        ("ranks", "0 | 2", "Each sequence must lie in a rank; sequence 1 lies in none."),
        ("ranks", "0 | 1", "Each sequence must lie in a rank; sequence 2 lies in none."),
        ("chunks", "0, 1 | 1, 2", "Each timestep must lie in one chunk; timestep 1 is named twice."),
        ("ranks", "0 | 1-9999999999", "The sequences of the batch are 0 to 2; got 1-9999999999."),
        ("ranks", "two", ("Type the sizes in order, such as 1, 2, or the sequences of each part, such as 0 | 1-2; "
         "got 'two'.")),
        ("ranks", "-1, 4", ("Type the sizes in order, such as 1, 2, or the sequences of each part, such as 0 | 1-2; "
         "got '-1, 4'.")),
        ("ranks", "1-2", ("Type the sizes in order, such as 1, 2, or the sequences of each part, such as 0 | 1-2; "
         "got '1-2'.")),
        ("rank", "1, 2", "`kind` must be one of 'micro-batches', 'ranks', 'chunks'; got 'rank'. Did you mean 'ranks'?"),
    ],
)  # fmt: skip
def test_typed_cut_that_can_not_be_is_refused_in_one_sentence(kind, text, message):
    with pytest.raises(InputError) as caught:
        cut_typed(kind, 3, text)
    assert str(caught.value) == message


@given(st.text(max_size=40))
def test_any_text_is_a_cut_or_refused(text):
    """Law: a cut that is read holds each sequence once."""
    try:
        cut = cut_typed("ranks", 4, text)
    except InputError:
        return
    assert sorted(place for part in cut.parts for place in part) == [0, 1, 2, 3]


@given(st.sampled_from(list(KINDS)), st.integers(1, 40), st.integers(1, 50))
def test_even_cut_has_sizes_that_differ_by_one_at_most(kind, length, count):
    sizes = [len(part) for part in cut_evenly(kind, length, count).parts]
    assert sum(sizes) == length
    assert len(sizes) == min(count, length)
    assert max(sizes) - min(sizes) <= 1


def test_cut_of_another_batch_is_refused():
    with pytest.raises(InputError) as caught:
        simulate_split(analyze(golden_batch()), cut_evenly("chunks", 3, 2))
    assert str(caught.value) == "`cut` must hold the 5 timesteps of the batch; got one of 3. Cut it anew."


def test_split_of_an_empty_batch_has_no_parts():
    batch = Batch.from_arrays(logits=np.zeros((0, 3, 2)), targets=np.zeros((0, 3), int))
    split = simulate_split(analyze(batch), cut_evenly("ranks", 0, 2))
    assert (split.mean_of_means, split.divided_once) == (0, 0)
    assert split.sentence == "No timestep counts: every mean is 0 ÷ 0."
