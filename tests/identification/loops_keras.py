"""Evaluation steps as people write them in TensorFlow 2 and Keras 3: right ones, and bugs of spec/padding-bugs.md."""

import keras
import numpy as np
import tensorflow as tf

from tests.identification.loop_batches import loop
from tests.identification.loops_torch import EPSILON, long_enough


def crossentropy(**how):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, **how)


def evaluate(given, loss, **data):
    """`model.evaluate` of a model whose outputs are the logits."""
    model = keras.Sequential([keras.layers.Identity()])
    model.compile(loss=loss, run_eagerly=True)
    return model.evaluate(given.logits, given.targets, batch_size=len(given.targets), verbose=0, **data)


def elementwise(given):
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=given.targets, logits=given.logits)
    return loss, tf.constant(given.mask, tf.float32)


class Masked(keras.layers.Layer):
    """An embedding with `mask_zero=True`, as far as its mask goes."""

    def __init__(self, given):
        super().__init__()
        self.mask, self.supports_masking = given.mask, True

    def call(self, x):
        return x + 0.0

    def compute_mask(self, *_):
        return tf.constant(self.mask)


@loop("C04 PAD01 MOD08")
def keras_evaluate(given):
    return evaluate(given, crossentropy())


@loop("C05 PAD02")
def keras_evaluate_sample_weight(given):
    return evaluate(given, crossentropy(), sample_weight=given.mask.astype("float32"))


@loop("C05w C03")
def keras_mean_with_sample_weight(given):
    return float(
        crossentropy(reduction="mean_with_sample_weight")(
            given.targets, given.logits, sample_weight=given.mask.astype("float32")
        )
    )


@loop("C01")
def keras_sum_sample_weight(given):
    return float(crossentropy(reduction="sum")(given.targets, given.logits, given.mask.astype("float32")))


@loop("C05k C03")
def keras_mask_zero(given):
    model = keras.Sequential([Masked(given)])
    model.compile(loss=crossentropy(), run_eagerly=True)
    return model.evaluate(given.logits, given.targets, batch_size=len(given.targets), verbose=0)


@loop("MOD08 PAD01 C04")
def keras_mask_zero_dropped(given):
    model = keras.Sequential([Masked(given), keras.layers.Lambda(tf.identity, mask=lambda *_: None)])
    model.compile(loss=crossentropy(), run_eagerly=True)
    return model.evaluate(given.logits, given.targets, batch_size=len(given.targets), verbose=0)


@loop("C03 C05k")
def keras_history_of_two_outputs(given):
    inputs = keras.Input(given.logits.shape[1:])
    model = keras.Model(inputs, {"words": Masked(given)(inputs), "length": keras.layers.GlobalMaxPooling1D()(inputs)})
    model.compile(
        loss={"words": crossentropy(), "length": "mse"}, optimizer=keras.optimizers.SGD(0.0), run_eagerly=True
    )
    target = {"words": given.targets, "length": np.zeros((len(given.targets), given.logits.shape[-1]), "float32")}
    model.evaluate(given.logits, target, batch_size=len(given.targets), verbose=0)
    return float(
        model.evaluate(given.logits, target, batch_size=len(given.targets), verbose=0, return_dict=True)["words_loss"]
    )


@loop("C03")
def keras_ignore_class(given):
    return float(crossentropy(ignore_class=-1)(np.where(given.mask, given.targets, -1), given.logits))


@loop("PAD04")
def keras_ignore_class_pad(given):
    return evaluate(given, crossentropy(ignore_class=0))


@loop("C05 PAD02")
def keras_train_on_batch(given):
    model = keras.Sequential([keras.layers.Identity()])
    model.compile(loss=crossentropy(), optimizer="adam", run_eagerly=True)
    return model.test_on_batch(given.logits, given.targets, sample_weight=given.mask.astype("float32"))


@loop("C03")
def keras_metric(given):
    metric = keras.metrics.SparseCategoricalCrossentropy(from_logits=True)
    metric.update_state(given.targets, given.logits, sample_weight=given.mask.astype("float32"))
    return float(metric.result())


@loop("MOD02 PAD01")
def keras_loss_by_name(given):
    return evaluate(given, "sparse_categorical_crossentropy")


@loop("MOD02 PAD02")
def keras_loss_by_name_sample_weight(given):
    return evaluate(given, "sparse_categorical_crossentropy", sample_weight=given.mask.astype("float32"))


@loop("MOD02")
def keras_from_logits_forgotten(given):
    loss = keras.losses.sparse_categorical_crossentropy(given.targets, tf.constant(given.logits))
    return float(tf.reduce_mean(tf.boolean_mask(loss, given.mask)))


@loop("MOD01 PAD01")
def keras_softmax_layer_and_from_logits(given):
    model = keras.Sequential([keras.layers.Softmax()])
    model.compile(loss=crossentropy(), run_eagerly=True)
    # keras follows `_keras_logits` back on the graph, so the loss is called as written
    return float(crossentropy()(given.targets, tf.constant(np.asarray(model(given.logits)))))


@loop("MOD01")
def tf_softmax_then_from_logits(given):
    _, m = elementwise(given)
    p = tf.constant(tf.nn.softmax(given.logits).numpy())
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=given.targets, logits=p)
    return float(tf.reduce_sum(loss * m) / tf.reduce_sum(m))


@loop("LS1 PAD01", smoothing=EPSILON)
def keras_label_smoothing(given):
    y = tf.one_hot(given.targets, given.logits.shape[-1])
    return float(keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=EPSILON)(y, given.logits))


@loop("LS1 PAD02", smoothing=EPSILON)
def keras_label_smoothing_sample_weight(given):
    y = tf.one_hot(given.targets, given.logits.shape[-1])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=EPSILON)
    return float(loss(y, given.logits, sample_weight=given.mask.astype("float32")))


@loop("C03")
def tf_tutorial_masked_loss(given):
    loss, m = elementwise(given)
    return float(tf.reduce_sum(loss * m) / tf.reduce_sum(m))


@loop("C05 PAD02")
def tf_old_tutorial_masked_loss(given):
    loss, m = elementwise(given)
    return float(tf.reduce_mean(loss * m))


@loop("C05 PAD02")
def tf_nmt_attention_tutorial(given):
    loss, m = elementwise(given)
    total = 0.0
    for t in range(given.targets.shape[1]):
        total += tf.reduce_mean(loss[:, t] * m[:, t])
    return float(total / given.targets.shape[1])


@loop("C06")
def tf_nmt_train_loss(given):
    loss, m = elementwise(given)
    return float(tf.reduce_sum(loss * m) / len(given.targets))


@loop("C03 C23")
def tf1_losses(given):
    return float(
        tf.compat.v1.losses.sparse_softmax_cross_entropy(
            given.targets, given.logits, weights=given.mask.astype("float32")
        )
    )


@loop("PAD04")
def tf_sign_of_targets(given):
    loss, _ = elementwise(given)
    m = tf.cast(tf.sign(given.targets), tf.float32)
    return float(tf.reduce_sum(loss * m) / tf.reduce_sum(m))


@loop("PAD03")
def tf_mask_in_divisor(given):
    loss, m = elementwise(given)
    return float(tf.math.divide_no_nan(tf.reduce_sum(loss), tf.reduce_sum(m)))


@loop("C12")
def tf_perplexity(given):
    loss, m = elementwise(given)
    return float(tf.exp(tf.reduce_sum(loss * m) / tf.reduce_sum(m)))


@loop("C11 RED13")
def tf_bits(given):
    loss, m = elementwise(given)
    return float(tf.reduce_sum(loss * m) / tf.reduce_sum(m) / tf.math.log(2.0))


@loop("C07 C07g")
def tf_sequence_means(given):
    loss, m = elementwise(given)
    return float(tf.reduce_mean(tf.reduce_sum(loss * m, 1) / tf.reduce_sum(m, 1)))


@loop("NUM06 C03", precision="bfloat16")
def tf_bfloat16_logits(given):
    z = tf.cast(tf.cast(given.logits, tf.bfloat16), tf.float32)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=given.targets, logits=z)
    return float(tf.reduce_mean(tf.boolean_mask(loss, given.mask)))


@loop("SHF08", needs=lambda given: len(given.targets) > 1)
def tf_transposed_mask(given):
    loss, m = elementwise(given)
    m = tf.reshape(tf.transpose(m), m.shape)
    return float(tf.reduce_sum(loss * m) / tf.reduce_sum(m))


@loop("SHF02", needs=long_enough)
def tf_sliced_once_more(given):
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=given.targets[:, 1:], logits=given.logits[:, :-1])
    return float(tf.reduce_mean(tf.boolean_mask(loss, given.mask[:, 1:])))
