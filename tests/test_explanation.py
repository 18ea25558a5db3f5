"""The arithmetic of one timestep agrees with the analysis that it explains, and with decimals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import Batch, Settings, analyze
from lossviz.errors import InputError
from lossviz.explanation import explain_timestep
from tests import oracle
from tests.strategies import BY_NAME, RULES, batches

close = np.testing.assert_allclose


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
@settings(deadline=None, max_examples=8)
def test_explain_says_what_the_analysis_says(rule, batch):
    a = analyze(batch, RULES[rule])
    for b, t in np.ndindex(*batch.targets.shape):
        e = a.explain(b, t)
        here = np.index_exp[b, t]
        assert (e.sequence, e.timestep, e.target, e.rank) == (b, t, batch.targets[here], a.rank[here])
        close(e.loss, a.batch_loss[here], rtol=1e-12)
        close(e.probability, a.probability[here], rtol=1e-12)
        close(e.entropy, a.entropy[here], rtol=1e-12, atol=1e-15)
        close(e.weighted, a.unpadded_loss[here], rtol=1e-12)
        close(e.gradient_norm, a.gradient_norm[here], rtol=1e-12)
        close(e.share, a.share[here], rtol=1e-11)
        assert e.divisor == np.broadcast_to(a._reduced.divisor, batch.targets.shape)[here]
        listed = {step.class_id: step.probability for step in e.classes}
        top = [(v, p) for v, p in zip(a.top_classes[here], a.top_probabilities[here], strict=True) if v >= 0]
        close([listed[v] for v, _ in top], [p for _, p in top], rtol=1e-12)


@given(batches(weights=(1.0,)))
@settings(deadline=None, max_examples=20)
def test_explain_keeps_every_digit(batch):
    a = analyze(batch, RULES["language_model"])
    for b, t in np.ndindex(*batch.targets.shape):
        e, expected = a.explain(b, t), oracle.timestep(batch.logits[b, t], batch.targets[b, t])
        names = {
            "loss": "batch_loss",
            "probability": "probability",
            "entropy": "entropy",
            "gradient_norm": "gradient_norm",
        }
        for ours, theirs in names.items():
            close(getattr(e, ours), expected[theirs], rtol=1e-12)
        assert e.rank == expected["rank"]


def test_explain_by_hand(small):
    logits = np.zeros((2, 3, 4))
    logits[0, 1] = np.log([1, 2, 4, 1])
    batch = small(logits=logits, vocabulary=["<pad>", "a", "b", "c"])
    e = analyze(batch).explain(0, 1)
    assert (e.sequence, e.timestep, e.target, e.token, e.rank, e.weight, e.divisor, e.note) == (
        0,
        1,
        2,
        "b",
        1,
        1.0,
        4.0,
        "",
    )
    close([e.maximum, e.shifted, e.total, e.log_total], [np.log(4), 0.0, 2.0, np.log(2)], rtol=1e-15)
    close([e.loss, e.weighted, e.contribution], [np.log(2), np.log(2), np.log(2) / 4], rtol=1e-15)
    close(e.share, 1 / 7, rtol=1e-14)
    close(e.gradient_norm, np.linalg.norm([1, 2, -4, 1]) / 8 / 4, rtol=1e-14)
    assert [(step.class_id, step.token, step.is_target) for step in e.classes] == [
        (2, "b", True),
        (1, "a", False),
        (0, "<pad>", False),
        (3, "c", False),
    ]
    close([step.probability for step in e.classes], [0.5, 0.25, 0.125, 0.125], rtol=1e-14)
    close([step.exponential for step in e.classes], [1, 0.5, 0.25, 0.25], rtol=1e-14)
    close([step.shifted for step in e.classes], np.log([1, 0.5, 0.25, 0.25]), rtol=1e-14)
    close([step.gradient for step in e.classes], np.array([-0.5, 0.25, 0.125, 0.125]) / 4, rtol=1e-14)


def test_explain_steps_are_the_arithmetic_in_order(golden):
    e = analyze(golden).explain(0, 2)
    assert [name for name, _, _ in e.steps] == [
        "logit of the target",
        "largest logit",
        "shifted",
        "sum of exponentials",
        "its logarithm",
        "loss",
        "times weight",
        "divided by",
        "adds to the number",
    ]
    values = [value for _, _, value in e.steps]
    close(values[0] - values[1], values[2], rtol=1e-12)
    close(np.log(values[3]), values[4], rtol=1e-12)
    close(values[4] - values[2], values[5], rtol=1e-12)
    close([values[5], values[6] / values[7]], [3.5, values[8]], rtol=1e-12)


@pytest.mark.parametrize(
    ("reduction", "last"),
    [
        (
            "sequence_means",
            [
                ("times weight", r"w \cdot \mathrm{loss}", 3.5),
                ("divided by, in its sequence", r"\sum_t w_{bt}", 5.0),
                ("divided by", r"\mathrm{divisor}", 3.0),
                ("adds to the number", r"w \cdot \mathrm{loss} \,/\, \sum_t w_{bt} \,/\, \mathrm{divisor}", 0.7 / 3),
            ],
        ),
        (
            "timestep_means_sum",
            [
                ("divided by, in its timestep", r"\sum_b w_{bt}", 2.0),
                ("divided by", r"\mathrm{divisor}", 1.0),
                ("adds to the number", r"w \cdot \mathrm{loss} \,/\, \sum_b w_{bt} \,/\, \mathrm{divisor}", 1.75),
            ],
        ),
        (
            "micro_batch_means",
            [
                ("divided by, in its micro-batch", r"\sum_{b \in g,\, t} w_{bt}", 9.0),
                ("divided by", r"\mathrm{divisor}", 2.0),
                (
                    "adds to the number",
                    r"w \cdot \mathrm{loss} \,/\, \sum_{b \in g,\, t} w_{bt} \,/\, \mathrm{divisor}",
                    3.5 / 18,
                ),
            ],
        ),
    ],
)
def test_explain_of_a_mean_of_means_divides_twice(golden, reduction, last):
    e = analyze(golden, Settings(reduction=reduction, accumulation_steps=2)).explain(0, 2)
    steps = e.steps[-len(last) :]
    assert [step[:2] for step in steps] == [step[:2] for step in last]
    close([step[2] for step in steps], [step[2] for step in last], rtol=1e-12)


@pytest.mark.parametrize("rule", BY_NAME)
def test_explain_contributions_add_up_to_the_number(golden_weighted, rule):
    a = analyze(golden_weighted, BY_NAME[rule])
    parts = [a.explain(b, t) for b, t in np.ndindex(3, 5)]
    close(sum(part.contribution for part in parts), a.value, rtol=1e-12)
    close(sum(part.share for part in parts), 1.0, rtol=1e-12)


def test_explain_keeps_a_gradient_whose_square_is_too_small():
    batch = Batch.from_arrays(logits=[[[500.0, 0.0]]], targets=[[0]])
    close(analyze(batch).explain(0, 0).gradient_norm, np.sqrt(2) * np.exp(-500.0), rtol=1e-12)


def test_explain_lists_the_target_below_the_top_classes():
    logits = np.arange(9.0)[None, None]
    e = analyze(Batch.from_arrays(logits=logits, targets=[[0]])).explain(0, 0)
    assert [step.class_id for step in e.classes] == [8, 7, 6, 5, 4, 0]
    assert e.rank == 9


def test_explain_of_a_label_that_is_no_class(small):
    e = analyze(small(targets=[[1, 9, 3], [3, -1, 0]])).explain(0, 1)
    assert (e.token, e.rank, e.note) == (
        "9",
        0,
        "The target 9 is not a class from 0 to 3, so this timestep has no loss.",
    )
    assert np.isnan([e.loss, e.probability, e.weighted, e.contribution, e.share, e.gradient_norm]).all()
    close([e.entropy, e.total], [np.log(4), 4.0], rtol=1e-15)
    padded = analyze(small(targets=[[1, 2, 3], [3, -1, 0]])).explain(1, 1)
    assert [padded.weighted, padded.contribution, padded.share, padded.gradient_norm] == [0.0] * 4
    assert np.isnan(padded.loss)


def test_explain_of_padding_in_a_batch_whose_number_is_nan(small):
    a = analyze(small(targets=[[1, 9, 3], [3, 0, 0]]))
    e = a.explain(1, 1)
    assert [e.weighted, e.contribution, e.share, e.gradient_norm] == [0.0] * 4
    assert a.share[1].tolist()[1:] == [0.0, 0.0]


def test_explain_of_an_impossible_length(small):
    a = analyze(small(lengths=[9, 1]))
    e = a.explain(0, 0)
    assert e.note == "The length of this sequence is impossible, so it is unknown whether this timestep counts."
    close(e.loss, np.log(4), rtol=1e-15)
    assert np.isnan([e.weighted, e.gradient_norm, a.gradient_norm[0, 0]]).all()
    assert a.explain(1, 0).note == ""
    wins = analyze(small(lengths=[9, 1], weights=np.ones((2, 3)))).explain(0, 0)
    close([wins.weighted, wins.share], [np.log(4), 1 / 6], rtol=1e-15)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 2])
def test_explain_of_logits_that_are_not_finite_agrees_with_the_analysis(small, broken, place):
    logits = np.random.default_rng(0).normal(size=(2, 3, 4))
    logits[0, 1, place] = broken
    a = analyze(small(logits=logits))
    e = a.explain(0, 1)
    assert e.note == "Some logits of this timestep are NaN or ±inf."
    assert e.rank == a.rank[0, 1]
    for ours, theirs in (
        ("loss", a.batch_loss),
        ("probability", a.probability),
        ("entropy", a.entropy),
        ("gradient_norm", a.gradient_norm),
        ("weighted", a.unpadded_loss),
    ):
        close(getattr(e, ours), theirs[0, 1], rtol=1e-12)


def test_explain_of_one_class():
    e = analyze(Batch.from_arrays(logits=[[[3.0]]], targets=[[0]]), Settings(reduction="mean")).explain(0, 0)
    assert (e.loss, e.probability, e.entropy, e.gradient_norm, e.total, e.share) == (0.0, 1.0, 0.0, 0.0, 1.0, 0.0)


def test_explain_where_the_divisor_is_zero():
    batch = Batch.from_arrays(logits=np.log([[[1.0, 3.0], [3.0, 1.0]]]), targets=[[0, 0]], weights=[[1, -1]])
    a = analyze(batch)
    assert (a.value, a.divisor) == (0.0, 0.0)
    e = a.explain(0, 0)
    assert [e.contribution, e.share, e.gradient_norm] == [a.value, a.share[0, 0], a.gradient_norm[0, 0]] == [0.0] * 3


def test_explain_refuses_a_timestep_that_is_not_there(golden):
    a = analyze(golden)
    for b, t in ((3, 0), (0, 5), (-1, 0)):
        with pytest.raises(InputError) as caught:
            a.explain(b, t)
        assert str(caught.value) == f"The timestep must lie in 3 sequences × 5 timesteps; got ({b}, {t})."


def test_explain_reads_one_timestep_of_a_mapped_file(tmp_path):
    path = tmp_path / "logits.npy"
    np.save(path, np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float16"))
    batch = Batch.from_arrays(logits=np.load(path, mmap_mode="r"), targets=np.ones((2, 3), int))
    a = analyze(batch, Settings(reduction="language_model"))
    close(a.explain(1, 2).loss, a.batch_loss[1, 2], rtol=1e-12)


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=6), st.integers(0, 5))
def test_explain_timestep_gradients_are_softmax_minus_onehot(logits, target):
    target %= len(logits)
    e = explain_timestep(
        np.array(logits),
        target,
        sequence=0,
        timestep=0,
        tokens={},
        top=list(range(len(logits))),
        weight=2.0,
        divisor=-4.0,
        number=1.0,
    )
    p = oracle.distribution(logits)
    expected = {v: float(-(x - (v == target)) / 2) for v, x in enumerate(p)}
    close(
        [step.gradient for step in e.classes], [expected[step.class_id] for step in e.classes], rtol=1e-11, atol=1e-300
    )


@pytest.mark.parametrize("label", [0, 1])
def test_explain_classifier_is_a_sigmoid_and_says_so(label):
    """−log σ(z) of label 1, −log (1 − σ(z)) of label 0, here of z = 1.5."""
    batch = Batch.from_arrays(logits=[[[1.5]]], targets=[[label]])
    e = analyze(batch, Settings(reduction="classification")).explain(0, 0)
    positive = 1 / (1 + np.exp(-1.5))
    loss = -np.log(positive if label else 1 - positive)
    assert [name for name, _, _ in e.steps[:3]] == [
        "the only logit",
        "sigmoid: probability of label 1",
        f"loss of label {label}",
    ]
    close([value for _, _, value in e.steps[:3]], [1.5, positive, loss], rtol=1e-6)
