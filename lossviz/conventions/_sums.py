"""Sums, and sums divided by something that depends on the shape of the batch rather than on the mask."""

import numpy as np

from lossviz.conventions._convention import ADD, FINITE, PADDING, ROWS, SCALE, SPLIT, Convention, Quotient
from lossviz.conventions._make import custom, divided, from_reduction, users
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options, reduction_named

__all__ = ["SUMS"]

SUM_KEPT = (PADDING, ROWS, ADD, FINITE)
MEAN_KEPT = (PADDING, ROWS, SPLIT, FINITE)


def _sigmoid(terms: Terms, options: Options) -> Quotient:
    """The classifier's number: of one logit per timestep, whatever reduction the analysis has."""
    analysis = terms.analysis
    if analysis.batch.shape[2] != 1:
        return Quotient(np.nan, np.nan, "nothing: it needs one logit per timestep", np.nan, divides=False)
    if analysis.settings.reduction != "classification":
        terms = Terms(analysis.with_settings(analysis.settings.replace(reduction="classification")))
    reduced = reduction_named("classification").reduce(terms.loss, terms.weights, options)
    return divided(reduced.numerator.item(), reduced.divisor.item(), reduced.counts, divides=False)


def _decoder_coefficients(terms: Terms, _: Options) -> tuple[np.ndarray, np.ndarray]:
    """W / Σ w · (mean length − 1), where the length of a sequence is not its weight."""
    longer = float(terms.analysis.ends.mean()) - 1 if len(terms.weights) else 0.0
    return terms.weights / (terms.total_weight or 1.0) * longer, terms.counts


SUMS: tuple[Convention, ...] = (
    from_reduction(
        "language_model",
        "C01",
        "Sum under the mask",
        users(
            ("PyTorch", "cross_entropy, reduction='sum'", "torch/nn/functional.py"),
            ("Marian", "ce-sum", "src/layers/loss.cpp"),
            ("fairseq", "inside, before it divides", "fairseq/criterions/cross_entropy.py"),
            ("TensorFlow 1", "Reduction.SUM", "tensorflow/python/ops/losses/losses_impl.py"),
            ("Keras 3", "reduction='sum' with sample_weight", "keras/src/losses/loss.py"),
        ),
        SUM_KEPT,
    ),
    from_reduction(
        "language_model",
        "C02",
        "Sum of everything, no mask",
        users(
            ("PyTorch", "reduction='sum' without ignored targets", "torch/nn/functional.py"),
            ("Keras 3", "reduction='sum', no sample_weight", "keras/src/losses/loss.py"),
        ),
        (ROWS, SCALE, ADD, FINITE),
        mask="none",
        bugs=("PAD01",),
        reported_by="PAD01",
    ),
    from_reduction(
        "positions",
        "C04",
        "Mean of everything, no mask",
        users(
            ("Keras 3", "a loss without mask or sample_weight", "keras/src/losses/loss.py"),
            ("nanoGPT", "ignore_index=−1 where nothing is padded", "nanoGPT/model.py"),
        ),
        (ROWS, SCALE, SPLIT, FINITE),
        mask="none",
        bugs=("PAD01",),
        reported_by="PAD01",
    ),
    from_reduction(
        "positions",
        "C05",
        "Keras 3 with sample_weight",
        users(
            ("Keras 3", "sum_over_batch_size with sample_weight", "keras/src/losses/loss.py"),
            ("Keras 2", "tf.keras with a mask", "tensorflow#34158, addons#2637"),
            ("TensorFlow 1", "SUM_OVER_BATCH_SIZE", "tensorflow/python/ops/losses/losses_impl.py"),
        ),
        (ROWS, SPLIT, FINITE),
        safe=True,
        bugs=("PAD02", "RED06", "RED08"),
        reported_by="PAD02",
    ),
    from_reduction(
        "positions_with_start",
        "C05p",
        "Divided by the width with the start token",
        users(
            (
                "Hugging Face",
                "labels padded after the shift, then a mean of every position",
                "transformers/loss/loss_utils.py",
            ),
            ("PyTorch", "sum ÷ targets.numel() before targets[:, 1:]", "field report"),
        ),
        (ROWS, SPLIT, FINITE),
        bugs=("RED06",),
        reported_by="RED06",
    ),
    from_reduction(
        "encoder_decoder",
        "C06",
        "Sum ÷ sequences",
        users(
            ("tensorflow/nmt", "training loss", "nmt/model.py"),
            ("OpenNMT-tf", "training, average_loss_in_time=False", "opennmt/utils/losses.py"),
            ("Marian", "ce-mean", "src/layers/loss.cpp"),
            ("Sockeye", "normalization 'batch'", "sockeye/loss.py"),
            ("ESPnet", "default", "label_smoothing_loss.py"),
            ("OpenNMT-py", "gradient, normalization sents", "onmt/trainer.py"),
        ),
        MEAN_KEPT,
    ),
    from_reduction(
        "timesteps",
        "C08",
        "Sum over the batch, mean over time",
        users(("bergson", "before the fix, not shifted", "bergson PR #344")),
        (ROWS, ADD, FINITE),
        bugs=("RED06",),
        reported_by="RED06",
    ),
    from_reduction(
        "timesteps_less_one",
        "C08m",
        "Sum over the batch, mean over T − 1",
        users(("bergson", "before the fix, after the shift", "bergson PR #344")),
        (ROWS, ADD, FINITE),
        bugs=("RED06", "C08"),
        reported_by="RED06",
    ),
    from_reduction(
        "with_first_labels",
        "C14",
        "Items counted before the shift",
        users(("Hugging Face", "Trainer from 4.46 on", "transformers PR #46204 (the fix)")),
        (PADDING, ROWS),
        bugs=("RED04",),
        reported_by="RED04",
    ),
    from_reduction(
        "without_stops",
        "C15",
        "Stop tokens left out of the divisor",
        users(("OpenNMT-py", "gradient, normalization tokens", "onmt/trainer.py")),
        (PADDING, ROWS, FINITE),
        note="What the gradient is divided by; the number that is printed is C03.",
        bugs=("RED16",),
        reported_by="RED16",
    ),
    from_reduction(
        "timesteps_twice",
        "C16",
        "Mean over time, then over the timesteps again",
        users(("d2l", "MaskedSoftmaxCELoss, as printed", "d2l-en#2076")),
        (ROWS, SCALE),
        bugs=("RED06",),
        reported_by="RED06",
    ),
    from_reduction(
        "max_length",
        "C17",
        "Sum ÷ sequences × a constant length",
        users(
            ("TRL", "GRPO, loss_type='dr_grpo'", "trl/trainer/grpo_trainer.py"),
            ("SkyRL", "seq_mean_token_sum_norm", "SkyRL PR #133"),
            ("verl", "seq-mean-token-sum-norm", "verl PR #4510"),
        ),
        MEAN_KEPT,
        note="Without `max_length`, L_max is T, and padding moves it.",
    ),
    from_reduction(
        "encoder_decoder",
        "C17l",
        "Each sequence's mean times its length",
        users(("TRL", "GRPO, loss_type='luspo'", "trl/trainer/grpo_trainer.py")),
        MEAN_KEPT,
        note="A sequence's mean times its length is its sum, so it is the sum ÷ sequences.",
    ),
    from_reduction(
        "encoder_decoder",
        "C20",
        "PTB tutorial, cost",
        users(("TensorFlow 1", "PTB tutorial, cost", "tensorflow#3375, #2158")),
        MEAN_KEPT,
    ),
    custom(
        "C22",
        "Mean times the mean length less 1",
        users(("ESPnet", "RNN decoder", "espnet#3291")),
        (PADDING, ROWS, SCALE),
        formula=reduction_named("mean").formula + r"\left(\tfrac{1}{B}\sum_b \mathrm{len}_b - 1\right)",
        numerator=lambda t, _: t.total(t.loss) * (np.float64(t.unmasked_ends.sum()) / len(t.unmasked_ends) - 1),
        divisor=lambda t, _: t.weights.sum(),
        counts="timesteps that count",
        group="weights",
        reduction="decoder_length",
        note="A sequence is as long as its last timestep whose weight is not 0.",
        coefficients=_decoder_coefficients,
    ),
    Convention(
        "classification",
        "Sigmoid sum of a text classifier",
        reduction_named("classification").formula,
        "nats",
        "none",
        users(("lossviz", "ClassificationModel.calculate_loss", "lossviz/reductions/_catalogue.py")),
        frozenset((PADDING, ROWS, SCALE, ADD, FINITE)),
        _sigmoid,
        reduction="classification",
        note="Of one logit per timestep, at the last timestep that counts.",
    ),
    from_reduction(
        "encoder_decoder",
        "encoder_decoder",
        "Encoder-decoder, sum ÷ batch size",
        users(("lossviz", "Seq2SeqModel.calculate_loss", "lossviz/reductions/_catalogue.py")),
        MEAN_KEPT,
    ),
    from_reduction(
        "language_model",
        "language_model",
        "Language model, masked sum",
        users(("lossviz", "LanguageModel.calculate_loss", "lossviz/models/language_model.py")),
        SUM_KEPT,
    ),
)
