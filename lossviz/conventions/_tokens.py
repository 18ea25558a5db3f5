"""The means over the timesteps that count, Σ w·loss ÷ Σ w, and what libraries do to them at 0 ÷ 0."""

import numpy as np

from lossviz.conventions._convention import FINITE, PADDING, ROWS, SCALE, Convention
from lossviz.conventions._make import custom, from_reduction, users
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options

__all__ = ["TOKEN_MEANS"]

PLUS = r"\frac{{\sum_{{b,t}} w_{{bt}}\,\mathrm{{loss}}_{{bt}}}}{{\sum_{{b,t}} w_{{bt}} + 10^{}}}"
KEPT = (PADDING, ROWS, SCALE)


def _class_weights(terms: Terms, options: Options) -> np.ndarray:
    return terms.under_mask(terms.of_target("class_weights", options.class_weights or ()))


def _keras_coefficients(terms: Terms, _: Options) -> tuple[np.ndarray, np.ndarray]:
    """W / count(m) inside the mask m that a Keras layer carries."""
    inside = np.where(terms.keras_mask, terms.weights, 0.0)
    return inside / (np.count_nonzero(terms.keras_mask) or 1.0), inside != 0


TOKEN_MEANS: tuple[Convention, ...] = (
    from_reduction(
        "mean",
        "C03",
        "Mean over the timesteps that count",
        users(
            ("PyTorch", "cross_entropy, reduction='mean' with ignore_index", "torch/nn/functional.py"),
            ("Hugging Face", "ForCausalLM, after its shift; TensorFlow models", "transformers/loss/loss_utils.py"),
            ("Marian", "ce-mean-words", "src/layers/loss.cpp"),
            ("OpenNMT-py", "xent", "onmt/utils/statistics.py"),
            ("OpenNMT-tf", "evaluation", "opennmt/utils/losses.py"),
            ("Tensor2Tensor", "no label smoothing", "tensor2tensor/utils/t2t_model.py"),
        ),
        KEPT,
    ),
    from_reduction(
        "mean",
        "C03e",
        "sequence_loss of tf.contrib.seq2seq",
        users(
            (
                "TensorFlow 1",
                "sequence_loss, default flags; 10⁻¹² added",
                "tensorflow/contrib/seq2seq/python/ops/loss.py",
            )
        ),
        (*KEPT, FINITE),
        epsilon=1e-12,
        formula=PLUS.format("{-12}"),
    ),
    from_reduction(
        "mean",
        "C03n",
        "sequence_loss of TensorFlow Addons",
        users(("TensorFlow Addons", "sequence_loss, both averages", "tensorflow_addons/seq2seq/loss.py")),
        (*KEPT, FINITE),
        safe=True,
    ),
    from_reduction(
        "counted",
        "C03z",
        "SequenceLoss class of TensorFlow Addons",
        users(("TensorFlow Addons", "SequenceLoss(), both sums by default", "tensorflow_addons/seq2seq/loss.py")),
        (PADDING, ROWS, FINITE),
        safe=True,
        note="Its docstring says the size of the sequence; the code counts the weights that are not 0.",
        bugs=("RED08",),
        reported_by="RED08",
        told_by_weights=True,
    ),
    custom(
        "C05k",
        "Keras 3 with a mask from a layer",
        users(
            ("Keras 3", "sum_over_batch_size with a live _keras_mask", "keras/src/losses/loss.py"),
            ("Keras 2", "tf_keras 2.21, apply_valid_mask", "tf_keras/src/utils/losses_utils.py"),
        ),
        (PADDING, ROWS, FINITE),
        formula=r"\frac{\sum_{b,t} m_{bt}\,w_{bt}\,\mathrm{loss}_{bt}}{\sum_{b,t} m_{bt}}",
        numerator=lambda t, _: t.total(np.where(t.keras_mask, t.loss, 0.0)),
        divisor=lambda t, _: t.keras_mask.sum(),
        counts="timesteps of the mask, whatever their weight",
        group="weights",
        safe=True,
        reduction="mean",
        note="A weight of 0 inside the mask keeps counting.",
        reported_by="RED08",
        told_by_weights=True,
        coefficients=_keras_coefficients,
        is_product=False,
    ),
    from_reduction(
        "mean",
        "C05w",
        "Keras 3, mean_with_sample_weight",
        users(("Keras 3", "reduction='mean_with_sample_weight'", "keras/src/losses/loss.py")),
        (*KEPT, FINITE),
        safe=True,
        bugs=("RED08",),
        reported_by="RED08",
        told_by_weights=True,
    ),
    from_reduction(
        "mean",
        "C06t",
        "OpenNMT-tf Transformer, training",
        users(("OpenNMT-tf", "average_loss_in_time=True", "opennmt/models/transformer.py")),
        KEPT,
    ),
    from_reduction(
        "mean",
        "C07t",
        "AllenNLP, average='token'",
        users(("AllenNLP", "average='token'; 10⁻¹³ added", "allennlp/nn/util.py")),
        (*KEPT, FINITE),
        epsilon=1e-13,
        formula=PLUS.format("{-13}"),
    ),
    from_reduction(
        "mean",
        "C14n",
        "Divided once over micro-batches and ranks",
        users(
            ("Hugging Face", "Trainer with num_items_in_batch", "transformers/loss/loss_utils.py"),
            ("torchtitan", "training loss", "torchtitan PR #2206"),
            ("torchtune", "training loss", "torchtune PR #1875"),
            ("TRL", "GRPO, loss_type='dapo'", "trl/trainer/grpo_trainer.py"),
        ),
        KEPT,
    ),
    from_reduction(
        "mean",
        "C18",
        "Megatron lm loss",
        users(("Megatron-LM", "lm loss: Σ S ÷ Σ N over micro-batches", "pretrain_gpt.py")),
        KEPT,
    ),
    from_reduction(
        "counted",
        "C23",
        "TF1 tf.losses, its default",
        users(("TensorFlow 1", "SUM_BY_NONZERO_WEIGHTS", "tensorflow/python/ops/losses/losses_impl.py")),
        (PADDING, ROWS, FINITE),
        safe=True,
        bugs=("RED08",),
        reported_by="RED08",
        told_by_weights=True,
    ),
    from_reduction(
        "mean",
        "C23w",
        "TF1 tf.losses, MEAN",
        users(("TensorFlow 1", "Reduction.MEAN", "tensorflow/python/ops/losses/losses_impl.py")),
        (*KEPT, FINITE),
        safe=True,
        bugs=("C23",),
        told_by_weights=True,
    ),
    custom(
        "C24",
        "PyTorch with class weights",
        users(("PyTorch", "cross_entropy(weight=…), reduction='mean'", "pytorch#40560, PR #40991")),
        KEPT,
        formula=r"\frac{\sum_{b,t} c_{y_{bt}}\,w_{bt}\,\mathrm{loss}_{bt}}{\sum_{b,t} c_{y_{bt}}\,w_{bt}}",
        numerator=lambda t, o: t.total(_class_weights(t, o) * t.loss),
        divisor=lambda t, o: t.total(_class_weights(t, o)),
        counts="the sum of the class weights of the targets that count",
        group="other",
        needs=("class_weights",),
        bugs=("RED09",),
        searched_as=("", "C24"),
    ),
    from_reduction(
        "sequence_loss",
        "sequence_loss",
        "sequence_loss with your flags",
        users(("lossviz", "sequence_loss", "lossviz/engine/sequence_loss.py")),
        (*KEPT, FINITE),
        safe=True,
        note="Flags that keep an axis give several numbers, so there is no one number to compare.",
    ),
)
