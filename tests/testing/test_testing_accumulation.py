import numpy as np
import pytest
import tensorflow as tf

from lossviz.errors import InputError
from lossviz.testing import assert_accumulation_invariant
from tests.golden import golden_batch
from tests.testing import losses


def message(function, **named):
    with pytest.raises(AssertionError) as caught:
        assert_accumulation_invariant(function, **named)
    return str(caught.value)


def np_sum(logits, targets, weights):
    return losses.np_right(logits, targets, weights) * weights.sum()


def tf_pair(logits, targets, weights):
    return tf.reduce_sum(losses.tf_losses(logits, targets) * weights), tf.reduce_sum(weights)


def torch_pair(logits, targets, weights):
    return (losses.torch_losses(logits, targets) * weights).sum(), weights.sum()


def jax_pair(logits, targets, weights):
    return (losses.jax_losses(logits, targets) * weights).sum(), weights.sum()


def over_eleven(logits, targets, weights):
    """The loss divided by the timesteps of the whole batch, counted beforehand, as `num_items_in_batch` does."""
    return (losses.torch_losses(logits, targets) * weights).sum() / 11


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (lambda *arrays: (np_sum(*arrays), arrays[2].sum()), {}),
        (tf_pair, {}),
        (torch_pair, {"framework": "pytorch"}),
        (jax_pair, {}),
        (jax_pair, {"framework": "jax", "combine": lambda pairs: sum(p[0] for p in pairs) / sum(p[1] for p in pairs)}),
        (np_sum, {"combine": sum}),
        (over_eleven, {"framework": "pytorch", "combine": sum}),
        (tf_pair, {"combine": lambda pairs: sum(p[0] for p in pairs) / sum(p[1] for p in pairs)}),
        (tf_pair, {"splits": [2, ((0, 2), (1,))]}),
        (tf_pair, {"splits": 3}),
    ],
)
def test_accumulation_loops_that_divide_once_pass(function, named):
    assert_accumulation_invariant(function, **named)


def test_accumulation_equal_micro_batches_have_equal_means():
    batch = golden_batch(lengths=[5, 5, 5])
    assert_accumulation_invariant(losses.np_right, batch, splits=[3])
    assert_accumulation_invariant(losses.torch_right, batch, splits=[3], framework="pytorch")


MEAN_OF_MEANS = (
    "2 micro-batches (sequences 0 to 1; sequence 2) give 1.6611 and the whole batch 1.2545; the tolerance is 1e-05. "
    "Micro-batch 0 holds 9 timesteps that count and micro-batch 1 holds 2, but each mean counts one half: a timestep "
    "in 0 weighs 1/18, one in 1 weighs 1/4, and not 1/11. Likely RED01: it is a mean of means; return (sum, count), "
    "and divide once."
)


@pytest.mark.parametrize(
    ("function", "framework"),
    [
        (losses.np_right, None),
        (losses.tf_right, None),
        (losses.keras_right, None),
        (losses.torch_right, "pytorch"),
        (losses.jax_right, None),
    ],
)
def test_accumulation_mean_of_means_is_red01(function, framework):
    assert message(function, framework=framework) == MEAN_OF_MEANS


def test_accumulation_own_mean_of_means_is_red01():
    def mean(results):
        return sum(results) / len(results)

    assert message(losses.tf_right, combine=mean) == MEAN_OF_MEANS
    assert message(losses.tf_right, splits=[((0,), (1, 2))]) == (
        "2 micro-batches (sequence 0; sequences 1 to 2) give 1.2633 and the whole batch 1.2545; the tolerance is "
        "1e-05. Micro-batch 0 holds 5 timesteps that count and micro-batch 1 holds 6, but each mean counts one half: a "
        "timestep in 0 weighs 1/10, one in 1 weighs 1/12, and not 1/11. Likely RED01: it is a mean of means; return "
        "(sum, count), and divide once."
    )


def test_accumulation_without_a_division_is_red02():
    assert message(losses.torch_right, framework="pytorch", combine=sum, splits=[((0,), (1, 2))]) == (
        "2 micro-batches (sequence 0; sequences 1 to 2) give 2.5267 and the whole batch 1.2545; the tolerance is "
        "1e-05. Likely RED02: the micro-batches are added up and not divided; divide each by their number, or return "
        "(sum, count)."
    )


def test_accumulation_sums_that_are_averaged_are_red02():
    assert message(np_sum) == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give 6.9000 and the whole batch 13.8000; the tolerance is "
        "1e-05. Likely RED02: these are sums, not means; if the loop adds them up pass `combine=sum`, else return "
        "(sum, count)."
    )


def test_accumulation_pairs_that_do_not_add_up_are_told():
    assert message(lambda *arrays: (np_sum(*arrays), arrays[2].shape[1])) == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give 1.3800 and the whole batch 2.7600; the tolerance is "
        "1e-05. Likely RED06: the counts of the micro-batches do not add up to the batch's; count with the "
        "sum of `weights`."
    )
    assert message(lambda *arrays: (losses.np_right(*arrays), arrays[2].sum())) == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give 0.3020 and the whole batch 0.1140; the tolerance is "
        "1e-05. Likely RED01: the sums of the micro-batches do not add up to the batch's; return Σ weight · loss, "
        "not divided."
    )


def test_accumulation_own_combination_that_differs_names_no_code():
    assert message(losses.np_right, combine=max) == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give 2.3000 and the whole batch 1.2545; the tolerance is 1e-05."
    )
    assert message(tf_pair, combine=lambda pairs: pairs[0][0] / pairs[-1][1]) == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give 4.6000 and the whole batch 1.2545; the tolerance is 1e-05."
    )
    assert message(lambda *arrays: arrays[2], combine=len) == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give 2.0000 and the whole batch 1.0000; the tolerance is 1e-05."
    )


def test_accumulation_micro_batch_in_which_nothing_counts_is_pad11():
    batch = golden_batch(lengths=[5, 4, 0])
    assert message(losses.torch_right, batch=batch, framework="pytorch") == (
        "2 micro-batches (sequences 0 to 1; sequence 2) give NaN and the whole batch 1.0222; the tolerance is 1e-05. "
        "Likely PAD11: nothing counts, and 0 is divided by 0; divide by the larger of 1 and the sum of `weights`."
    )


def test_accumulation_many_micro_batches_are_not_all_listed():
    one = golden_batch()
    batch = one.replace(**{name: np.repeat(getattr(one, name), 4, axis=0) for name in ("logits", "targets", "lengths")})
    assert message(losses.np_right, batch=batch, splits=[12]).startswith(
        "12 micro-batches (sequence 0; sequence 1; sequence 2; sequence 3; …) give 1.4200 and the whole batch 1.2545; "
    )


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ({"splits": [4]}, "`splits` must be numbers from 1 to the 3 sequences of the batch; got 4."),
        ({"splits": [((0,), (1,))]}, "`splits` must hold each of the 3 sequences once; got ((0,), (1,))."),
        ({"splits": [((0,), (1, 1))]}, "Each sequence must lie in one micro-batch; sequence 1 is named twice."),
        (
            {"batch": golden_batch(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])},
            "`batch` must have at least two sequences to be cut into micro-batches; got one.",
        ),
    ],
)
def test_accumulation_refuses_what_is_no_cut(named, text):
    with pytest.raises(InputError) as caught:
        assert_accumulation_invariant(losses.np_right, **named)
    assert str(caught.value) == text


def test_accumulation_refuses_results_that_are_no_number():
    with pytest.raises(InputError) as caught:
        assert_accumulation_invariant(lambda *arrays: arrays[2])
    assert str(caught.value) == (
        "`loss_fn` must return a number or a pair (sum, count) of numbers; got shape (3, 5). "
        "Reduce it, or pass `combine`, which turns a list of results into one number."
    )
