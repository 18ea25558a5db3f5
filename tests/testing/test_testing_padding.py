import re

import numpy as np
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import assume, given, settings

import lossviz
from lossviz import Batch
from lossviz.errors import InputError
from lossviz.testing import assert_no_gradient_on_padding, assert_padding_invariant
from lossviz.testing._changes import CHANGES
from tests.golden import golden_batch
from tests.strategies import batches
from tests.testing import losses

FRAMEWORK = {"torch": "pytorch", "np": None, "tf": None, "keras": None, "jax": None}
RIGHT = ("np_right", "tf_right", "keras_right", "torch_right", "jax_right")

ON_PADDING = "(sequence 1, timestep 4, and 3 more timesteps)"
MASK = "Likely PAD01: there is no mask, so padding counts like any timestep; multiply the losses by `weights`."
NUM01 = "Likely NUM01: 0 times NaN is NaN; replace the logits by 0 with `where` where the weight is 0, before the loss."
NUM01_GRADIENT = (
    "The gradient on padding is NaN at sequence 1, timestep 4, and 3 more timesteps when the logits of padding are "
    "NaN, although the loss does not change; it must be 0. Likely NUM01: `where` on the losses leaves NaN in the "
    "gradient; replace the logits by 0 with `where` where the weight is 0, before the loss. Padding with any finite "
    "logits passed; if yours is always finite, pass `changes=['columns', 'targets', 'logits', 'ignore_id', "
    "'out_of_range']`."
)
COLUMNS = (
    "The loss changes from 0.9200 to 0.5750 when 3 columns of padding are appended (sequence 0, timestep 5, and 8 more "
    "timesteps); the tolerance is 1e-05. Likely PAD02: the divisor counts the padding; divide by the sum of `weights`."
)
BY_ID = (
    f"The loss changes from 1.2900 to 1.9152 when the targets of padding are changed to other classes {ON_PADDING}; "
    "the tolerance is 1e-05. Likely PAD04: the mask is derived from the targets; use `weights`."
)
MULTIPLIED = (
    f"The loss changes from 1.2545 to NaN when the logits of padding are NaN {ON_PADDING}; the tolerance is 1e-05. "
    + NUM01
)


def message(assertion, loss, *arguments, **named):
    framework = FRAMEWORK[loss.split("_")[0]] if isinstance(loss, str) else named.pop("framework", None)
    function = getattr(losses, loss) if isinstance(loss, str) else loss
    with pytest.raises(AssertionError) as caught:
        assertion(function, *arguments, framework=framework, **named)
    return str(caught.value)


def gradient(size, likely):
    cells = "sequence 1, timestep 4, and 3 more timesteps"
    return f"The gradient on padding is up to {size} at {cells}; it must be 0. {likely}"


@pytest.mark.parametrize("name", RIGHT)
def test_padding_right_losses_pass(name):
    assert_padding_invariant(getattr(losses, name), framework=FRAMEWORK[name.split("_")[0]])
    assert_no_gradient_on_padding(getattr(losses, name), golden_batch(), framework=FRAMEWORK[name.split("_")[0]])


def test_padding_sequence_loss_of_lossviz_passes():
    assert_padding_invariant(lossviz.sequence_loss, framework="tensorflow")
    assert_padding_invariant(lambda z, y, w: lossviz.sequence_loss(z, y, w, False, False))
    assert_padding_invariant(lambda z, y, w: lossviz.sequence_loss(z, y, w, True, False))


@pytest.mark.parametrize(
    ("name", "size", "likely"),
    [
        ("np_mean", "0.0121", MASK),
        ("keras_unmasked", "0.0121", MASK),
        ("jax_mean", "0.0121", MASK),
        ("np_mask_in_divisor", "0.0165", "Likely PAD03: the mask is in the divisor only; put it on the losses too."),
        ("torch_mask_in_divisor", "0.0165", "Likely PAD03: the mask is in the divisor only; put it on the losses too."),
        ("jax_mask_in_divisor", "0.0165", "Likely PAD03: the mask is in the divisor only; put it on the losses too."),
    ],
)
def test_padding_gradient_on_padding_is_named_by_the_number(name, size, likely):
    assert message(assert_no_gradient_on_padding, name) == gradient(size, likely)
    assert message(assert_padding_invariant, name) == gradient(size, likely)


BROADCAST = "Likely RED07: losses and mask have shapes that broadcast against each other; give both the shape [B, T]."


@pytest.mark.parametrize(
    ("weight", "size", "likely"),
    [
        (lambda w: (1 - w) / 4, "0.0453", "Likely PAD06: the mask is inverted; use `weights` as they are."),
        (lambda w: np.full(w.shape, 11 / 225), "0.0089", BROADCAST),
        (lambda w: np.full(w.shape, 0.01), "0.0018", MASK),
    ],
)
def test_padding_gradient_of_other_masks_is_named(weight, size, likely):
    def loss(logits, targets, weights):
        return (losses.np_losses(logits, targets) * weight(weights)).sum()

    assert message(assert_no_gradient_on_padding, loss) == gradient(size, likely)


def test_padding_mask_that_ends_late_shows_its_cells():
    def late(logits, targets, weights):
        weights = np.maximum(weights, np.pad(weights, ((0, 0), (1, 0)))[:, :-1])
        return (losses.np_losses(logits, targets) * weights).sum() / weights.sum()

    assert message(assert_no_gradient_on_padding, late) == (
        "The gradient on padding is up to 0.0139 at sequence 1, timestep 4, and 1 more timestep; it must be 0. "
        "Likely PAD08: the mask ends one timestep late; derive it from `weights`."
    )


@pytest.mark.parametrize(
    "name", ["np_over_all_positions", "keras_over_all_positions", "torch_unreduced_mean", "jax_over_all_positions"]
)
def test_padding_divisor_that_counts_padding_is_pad02(name):
    assert message(assert_padding_invariant, name) == COLUMNS


def test_padding_divisor_that_is_t_is_red06():
    def over_timesteps(logits, targets, weights):
        return losses.np_right(logits, targets, weights) * weights.sum() / weights.shape[1]

    assert message(assert_padding_invariant, over_timesteps) == (
        "The loss changes from 2.7600 to 1.7250 when 3 columns of padding are appended (sequence 0, timestep 5, and 8 "
        "more timesteps); the tolerance is 1e-05. Likely RED06: the divisor is the number of timesteps, padding "
        "included; divide by the sum of `weights`."
    )


@pytest.mark.parametrize("name", ["np_by_id", "jax_by_id"])
def test_padding_mask_made_of_targets_is_pad04(name):
    assert message(assert_padding_invariant, name) == BY_ID


def test_padding_torch_ignore_index_that_is_a_real_token_is_pad04():
    def pad_id_ignored(logits, targets, weights):
        return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=0)

    assert message(assert_padding_invariant, pad_id_ignored, framework="pytorch") == BY_ID


@pytest.mark.parametrize("name", ["np_multiplied", "tf_multiplied", "jax_multiplied"])
def test_padding_multiplied_nan_is_num01(name):
    assert message(assert_padding_invariant, name) == MULTIPLIED


@pytest.mark.parametrize("name", ["tf_where_after", "torch_where_after", "torch_ignore_index", "jax_where_after"])
def test_padding_nan_left_in_the_gradient_is_num01(name):
    assert message(assert_padding_invariant, name) == NUM01_GRADIENT


def one_padded_row_of_nan():
    """The catalogue's NUM-01: losses 2 and 2, then a padded timestep whose logits are NaN."""
    first = np.log((1 - np.exp(-2)) / 3)
    logits = np.array([[[-2, first, first, first], [first, -2, first, first], [np.nan] * 4]], np.float32)
    return Batch.from_arrays(logits=logits, targets=[[0, 1, 0]], lengths=[2])


@pytest.mark.parametrize("name", ["tf_where_after", "torch_where_after", "torch_ignore_index"])
def test_padding_num01_of_the_catalogue_loss_is_finite_and_four_gradients_are_nan(name):
    batch, function = one_padded_row_of_nan(), getattr(losses, name)
    weights = np.array([[1, 1, 0]], np.float32)
    if name.startswith("tf"):
        logits = tf.constant(batch.logits)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = function(logits, tf.constant(batch.targets), tf.constant(weights))
        slopes = tape.gradient(loss, logits).numpy()
    else:
        logits = torch.tensor(batch.logits, requires_grad=True)
        loss = function(logits, torch.tensor(batch.targets), torch.tensor(weights))
        slopes = torch.autograd.grad(loss, logits)[0].numpy()
    assert float(loss if name.startswith("tf") else loss.detach()) == pytest.approx(2.0)
    assert np.isnan(slopes).sum() == 4
    assert message(assert_no_gradient_on_padding, name, batch) == (
        "The gradient on padding is NaN at sequence 0, timestep 2; it must be 0. Likely NUM01: `where` on the losses "
        "leaves NaN in the gradient; replace the logits by 0 with `where` where the weight is 0, before the loss."
    )


@pytest.mark.parametrize("name", ["tf_right", "torch_right", "keras_right", "jax_right"])
def test_padding_num01_of_the_catalogue_is_mended_by_where_on_the_logits(name):
    assert_no_gradient_on_padding(
        getattr(losses, name), one_padded_row_of_nan(), framework=FRAMEWORK[name.split("_")[0]]
    )


def test_padding_batch_that_holds_nan_already_is_num01():
    assert message(assert_no_gradient_on_padding, "tf_multiplied", one_padded_row_of_nan()) == (
        f"The gradient on padding is NaN at sequence 0, timestep 2; it must be 0. {NUM01}"
    )


def test_padding_gradient_that_is_not_finite_at_real_timesteps_is_told():
    def root(logits, targets, weights):
        return tf.reduce_sum(tf.where(weights > 0, tf.sqrt(tf.where(weights > 0, logits[..., 0] * 0, 1.0)), 0.0))

    assert message(assert_no_gradient_on_padding, root) == (
        "The gradient at timesteps that count is NaN at sequence 0, timestep 0, and 10 more timesteps; "
        "it must be finite."
    )


@pytest.mark.parametrize(
    ("change", "fill", "likely"),
    [
        ("ignore_id", -100, "PAD12: the ignore id is looked up as a class"),
        ("out_of_range", 6, "PAD13: a target that is no class is looked up"),
    ],
)
def test_padding_targets_that_are_no_class_are_refused_by_numpy(change, fill, likely):
    def unsafe(logits, targets, weights):
        logits = np.where(weights[..., None] > 0, logits, 0)
        return (losses.np_losses(logits, targets) * weights).sum() / weights.sum()

    assert message(assert_padding_invariant, unsafe, changes=change) == (
        f"The loss function raises IndexError when the targets of padding are {fill} {ON_PADDING}: index {fill} is out "
        f"of bounds for axis 2 with size 6. Likely {likely}; replace the targets by 0 where the "
        "weight is 0."
    )


def test_padding_targets_that_are_no_class_are_refused_by_torch():
    assert message(assert_padding_invariant, "torch_unsafe_targets", changes=["out_of_range"]) == (
        f"The loss function raises IndexError when the targets of padding are 6 {ON_PADDING}: Target 6 is out of "
        "bounds. Likely PAD13: a target that is no class is looked up; replace the targets by 0 where the weight is 0."
    )


def test_padding_targets_that_are_no_class_are_refused_by_tensorflow():
    text = message(assert_padding_invariant, "tf_unsafe_targets", changes=["ignore_id"])
    start = f"The loss function raises InvalidArgumentError when the targets of padding are -100 {ON_PADDING}: "
    assert text.startswith(start)
    assert text.endswith(
        "Likely PAD12: the ignore id is looked up as a class; replace the targets by 0 where the weight is 0."
    )


def test_padding_nan_of_a_target_that_is_no_class_is_pad13():
    """XLA raises nothing: optax gives NaN."""

    def compiled(logits, targets, weights):
        known = (targets >= 0) & (targets < logits.shape[2])
        looked_up = np.where(known, losses.np_losses(logits, np.where(known, targets, 0)), np.nan)
        return (looked_up * weights).sum() / weights.sum()

    for function in (compiled, losses.jax_unsafe_targets):
        assert message(assert_padding_invariant, function, changes=["ignore_id"]) == (
            f"The loss changes from 1.2545 to NaN when the targets of padding are -100 {ON_PADDING}; the tolerance is "
            "1e-05. Likely PAD13: a target that is no class is looked up; replace the targets by 0 where the weight "
            "is 0."
        )


def test_padding_per_row_and_per_timestep_losses_are_named_by_place():
    def rows(logits, targets, weights):
        return (losses.np_losses(np.where(weights[..., None] > 0, logits, 0), targets) * weights).mean(axis=1)

    def unmasked(logits, targets, weights):
        return tf.stop_gradient(losses.tf_losses(logits, targets)) + 0 * tf.reduce_sum(logits, axis=2)

    assert message(assert_padding_invariant, rows, changes=["columns"]) == (
        "The loss of sequence 0 changes from 1.3600 to 0.8500 when 3 columns of padding are appended (sequence 0, "
        "timestep 5, and 8 more timesteps); the tolerance is 1e-05. Likely RED06: the divisor is the number of "
        "timesteps, padding included; divide by the sum of `weights`."
    )
    assert message(assert_padding_invariant, unmasked, changes=["logits"]) == (
        f"The loss of sequence 2, timestep 4 changes from 0.2000 to 59.3361 when the logits of padding have "
        f"other values {ON_PADDING}; the tolerance is 1e-05. {MASK}"
    )


def test_padding_gradient_at_real_timesteps_must_stay():
    def divisor_hidden(logits, targets, weights):
        loss = losses.tf_right(logits, targets, weights)
        scaled = loss * tf.cast(tf.shape(logits)[1], loss.dtype)
        return scaled + tf.stop_gradient(loss - scaled)

    assert message(assert_padding_invariant, divisor_hidden) == (
        "The gradient at timesteps that count changes by up to 0.2677 at sequence 0, timestep 0, and 10 more timesteps "
        "when 3 columns of padding are appended, although the loss does not; the tolerance is 1e-05 of the largest. "
        "Likely PAD02: the divisor counts the padding; divide by the sum of `weights`."
    )


def test_padding_changes_are_those_that_were_asked_for():
    assert_padding_invariant(losses.tf_where_after, changes=["columns", "targets", "logits"])
    with pytest.raises(
        InputError,
        match=re.escape(
            "`changes` must be among 'columns', 'targets', 'logits', 'nan', 'inf', '-inf', 'ignore_id', "
            "'out_of_range'; got 'target'. Did you mean 'targets'?"
        ),
    ):
        assert_padding_invariant(losses.np_right, changes=["target"])


@pytest.mark.parametrize(
    ("change", "after", "likely"),
    [
        ("columns", "0.0600", "PAD02"),
        ("targets", "3.9350", "PAD04"),
        ("logits", "0.0380", "PAD01"),
        ("nan", "NaN", "NUM01"),
        ("inf", "NaN", "NUM01"),
        ("-inf", "NaN", "NUM01"),
        ("ignore_id", "-400.0650", "PAD04"),
        ("out_of_range", "23.9350", "PAD04"),
    ],
)
def test_padding_each_change_alone_finds_a_loss_that_reads_padding(change, after, likely):
    """The loss is rounded, so that it has no gradient, and only the change can tell."""

    def reads_padding(logits, targets, weights):
        read = np.round(logits).sum(axis=2) * 1e-3 + targets
        return np.where(weights == 0, np.where(np.isfinite(read), read, np.nan), 0).sum()

    text = message(assert_padding_invariant, reads_padding, changes=[change])
    assert text.startswith(f"The loss changes from -0.0650 to {after} when ")
    assert f"; the tolerance is 1e-05. Likely {likely}: " in text


def test_padding_changes_are_a_test_each():
    [tried] = [mark.args[1] for mark in test_padding_each_change_alone_finds_a_loss_that_reads_padding.pytestmark]
    assert [change for change, _, _ in tried] == [change.name for change in CHANGES]


def test_padding_without_padding_there_is_nothing_to_check():
    batch = golden_batch(lengths=[5, 5, 5])
    with pytest.raises(
        InputError,
        match=r"^`batch` has no padding: every weight is other than 0\. Pass one with shorter sequences\.$",
    ):
        assert_no_gradient_on_padding(losses.np_mean, batch)
    assert_padding_invariant(losses.np_right, batch)


def test_padding_smoothing_term_without_a_mask_is_red10():
    def smoothed(logits, targets, weights):
        logs = tf.nn.log_softmax(logits)
        exact = -tf.gather(logs, targets, batch_dims=2) * weights
        return tf.reduce_sum(0.9 * exact - 0.1 * tf.reduce_mean(logs, 2)) / tf.reduce_sum(weights)

    assert message(assert_no_gradient_on_padding, smoothed) == gradient(
        "0.0067", "Likely RED10: the term of label smoothing is not masked; put the mask on both terms."
    )


def test_padding_num02_of_the_catalogue_untaken_branch_of_where():
    """`where(v > 0, log v, 0)` at v = 0 has the gradient NaN; with a `where` before the log it is 0."""

    def one_where(logits, targets, weights):
        v = tf.reduce_sum(logits**2, 2) * weights
        return tf.reduce_sum(tf.where(v > 0, tf.math.log(v), 0.0))

    def two_wheres(logits, targets, weights):
        v = tf.reduce_sum(logits**2, 2) * weights
        return tf.reduce_sum(tf.where(v > 0, tf.math.log(tf.where(v > 0, v, 1.0)), 0.0))

    assert message(assert_no_gradient_on_padding, one_where) == (
        "The gradient on padding is NaN at sequence 1, timestep 4, and 3 more timesteps; it must be 0. Likely NUM02: "
        "the branch of `where` that is not taken has a gradient, which is NaN; make its input safe by a `where` "
        "before it."
    )
    assert_no_gradient_on_padding(two_wheres)


@pytest.mark.parametrize("name", ["tf_right", "torch_right"])
def test_padding_of_a_batch_in_which_nothing_counts_is_pad11(name):
    assert message(assert_no_gradient_on_padding, name, golden_batch(lengths=[0, 0, 0])) == (
        "The loss is NaN; it must be finite. Likely PAD11: nothing counts, and 0 is divided by 0; divide by the larger "
        "of 1 and the sum of `weights`."
    )


@given(batch=batches(weights=(0.0, 0.5, 1.0)))
@settings(max_examples=25)
def test_padding_right_losses_pass_on_any_batch_and_the_mean_over_positions_on_none(batch):
    assume(batch.weights.any() and not batch.weights.all())
    assert_padding_invariant(losses.torch_weighted, batch, framework="pytorch")
    with pytest.raises(AssertionError, match=r" Likely (PAD02|PAD01|PAD03|RED06|PAD06): "):
        assert_padding_invariant(losses.torch_all_positions, batch, framework="pytorch")


def test_padding_gradient_that_is_nan_where_nothing_counts_is_pad11():
    assert message(assert_no_gradient_on_padding, "tf_multiplied", golden_batch(lengths=[0, 0, 0])) == (
        "The gradient on padding is NaN at sequence 0, timestep 0, and 14 more timesteps; it must be 0. Likely PAD11: "
        "nothing counts, and 0 is divided by 0; divide by the larger of 1 and the sum of `weights`."
    )


def test_padding_loss_that_is_infinite_without_padding_names_no_code():
    logits = golden_batch().logits.copy()
    logits[0, 0, 2] = -np.inf
    assert message(assert_no_gradient_on_padding, "torch_right", golden_batch(logits=logits)) == (
        "The loss is inf; it must be finite."
    )
