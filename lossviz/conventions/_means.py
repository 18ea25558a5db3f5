"""Means of means: every sequence, timestep or micro-batch first has a mean of its own."""

from collections.abc import Callable

import numpy as np

from lossviz.conventions._convention import FINITE, PADDING, ROWS, SCALE, SPLIT, Convention
from lossviz.conventions._make import custom, from_reduction, users
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options, reduction_named

__all__ = ["MEANS_OF_MEANS"]

Array = np.ndarray
KEPT = (PADDING, ROWS, SCALE, FINITE)
MICRO_BATCHES = reduction_named("micro_batch_means").formula
OF_SEQUENCE = r"\frac{{\sum_t w_{{bt}}\,\mathrm{{loss}}_{{bt}}}}{{\sum_t w_{{bt}} + 10^{}}}"
OF_GROUP = r"\frac{\sum_{b \in g,t} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{b \in g,t} w_{bt}}"


def _sequence_means(epsilon: float) -> Callable[[Terms, Options], float]:
    def numerator(terms: Terms, _: Options) -> float:
        sums, own_weights = terms.sequence_sums
        return float((sums / (own_weights + epsilon)).sum())

    return numerator


def _micro_batches(terms: Terms, options: Options) -> tuple[Array, Array, Array]:
    """Σ w·loss and Σ w of each micro-batch, and how many sequences it has, all [G], one without sequences left out."""
    parts = options.parts(len(terms.weights))
    sums, own_weights = terms.sequence_sums
    return np.bincount(parts, sums), np.bincount(parts, own_weights), np.bincount(parts)


def _number(_: Terms, options: Options) -> int:
    return len(options.groups) if options.groups is not None else options.accumulation_steps or 1


def _sum_of_means(terms: Terms, options: Options) -> float:
    sums, own_weights, sequences = _micro_batches(terms, options)
    complete = len(sequences) == _number(terms, options)
    return float((sums / own_weights).sum()) if complete else np.nan  # 0 ÷ 0 where one has no sequences


def _means_by_size(terms: Terms, options: Options) -> float:
    sums, own_weights, sequences = _micro_batches(terms, options)
    return float((sequences * sums / own_weights).sum())


def _last(sums: Array) -> float:
    return float(sums[-1:].sum())


MEANS_OF_MEANS: tuple[Convention, ...] = (
    custom(
        "C07",
        "Mean of each sequence's mean, empty ones included",
        users(
            (
                "TensorFlow 1",
                "legacy_seq2seq.sequence_loss, default",
                "tensorflow/contrib/legacy_seq2seq/python/ops/seq2seq.py",
            )
        ),
        (*KEPT, SPLIT),
        formula=r"\frac{1}{B}\sum_b " + OF_SEQUENCE.format("{-12}"),
        numerator=_sequence_means(1e-12),
        divisor=lambda t, _: len(t.weights),
        counts="sequences, each by its own mean",
        group="sequence_means",
        reduction="sequence_means",
        bugs=("RED05",),
        reported_by="RED05",
    ),
    custom(
        "C07a",
        "Mean of each non-empty sequence's mean",
        users(
            ("AllenNLP", "average='batch'; 10⁻¹³ added", "allennlp/nn/util.py"),
            ("T5X", "AVERAGE_PER_SEQUENCE", "t5x/losses.py"),
        ),
        KEPT,
        formula=r"\frac{1}{\mathrm{count}_b(\sum_t w_{bt} > 0)}\sum_b " + OF_SEQUENCE.format("{-13}"),
        numerator=_sequence_means(1e-13),
        divisor=lambda t, _: np.count_nonzero(t.weights.sum(axis=1) > 0) + 1e-13,
        counts="sequences that are not empty",
        group="sequence_means",
        reduction="filled_sequence_means",
        note="In float16 AllenNLP adds 10⁻⁴.",
        bugs=("RED05",),
        reported_by="RED05",
    ),
    from_reduction(
        "sequence_means",
        "C07g",
        "Mean of each sequence's mean",
        users(
            ("TRL", "GRPO, loss_type='grpo'", "trl/trainer/grpo_trainer.py"),
            ("verl", "seq-mean-token-mean, 10⁻⁸ added", "verl#3986"),
            ("SkyRL", "sequence_mean", "SkyRL PR #133"),
        ),
        (*KEPT, SPLIT),
        safe=True,
        bugs=("RED05",),
        reported_by="RED05",
    ),
    from_reduction(
        "timestep_means",
        "C09",
        "Mean of each timestep's mean",
        users(
            ("TensorFlow Addons", "average_across_batch only, then a mean", "tensorflow_addons/seq2seq/loss.py"),
            ("TensorFlow 1", "average_across_batch only, then a mean", "tensorflow/contrib/seq2seq/python/ops/loss.py"),
        ),
        (ROWS, SCALE, FINITE),
        safe=True,
        note="The docstring says the batch size; the code divides by the weights.",
    ),
    from_reduction(
        "timestep_means_sum",
        "C10",
        "Sum of each timestep's mean",
        users(("PyTorch", "chatbot tutorial, a loop over an RNN's steps", "pytorch/tutorials PR #382")),
        KEPT,
        safe=True,
    ),
    custom(
        "C18o",
        "Mean of micro-batch means",
        users(("Megatron-LM", "lm loss, older", "Megatron-LM#936, BigScience PR #169")),
        (PADDING, SCALE),
        formula=MICRO_BATCHES,
        numerator=_sum_of_means,
        divisor=_number,
        counts="micro-batches, each by its own mean",
        group="micro_batches",
        needs=("accumulation_steps",),
        reduction="micro_batch_means",
        bugs=("RED01", "C18"),
        reported_by="RED01",
        searched_as=("", "RED01"),
    ),
    custom(
        "C19",
        "Mean of the last micro-batch",
        users(("nanoGPT", "console", "nanoGPT/train.py")),
        (PADDING, SCALE),
        formula=OF_GROUP + r",\; g = k",
        numerator=lambda t, o: _last(_micro_batches(t, o)[0]),
        divisor=lambda t, o: _last(_micro_batches(t, o)[1]),
        counts="timesteps that count in the last micro-batch",
        group="micro_batches",
        needs=("accumulation_steps",),
        bugs=("RED17",),
        reported_by="RED17",
        searched_as=("", "RED17"),
    ),
    custom(
        "C21",
        "Mean of evaluation batches' means",
        users(("Hugging Face", "Trainer, eval_loss", "transformers#39241, #24839")),
        (PADDING, SCALE),
        formula=MICRO_BATCHES,
        numerator=_sum_of_means,
        divisor=_number,
        counts="evaluation batches, each by its own mean",
        group="micro_batches",
        needs=("accumulation_steps",),
        reduction="micro_batch_means",
        note="`accumulation_steps` is the number of evaluation batches.",
        bugs=("RED12",),
        reported_by="RED01",
        searched_as=("", "RED01"),
    ),
    custom(
        "C21b",
        "Evaluation means weighted by batch size",
        users(("Lightning", "on_epoch", "Lightning#2924")),
        (PADDING, SCALE),
        formula=r"\frac{1}{B}\sum_g B_g\," + OF_GROUP,
        numerator=_means_by_size,
        divisor=lambda t, _: len(t.weights),
        counts="sequences, each by the mean of its evaluation batch",
        group="micro_batches",
        needs=("accumulation_steps",),
        note="`accumulation_steps` is the number of evaluation batches.",
        bugs=("RED12", "C21"),
        searched_as=("", "RED12"),
    ),
)
