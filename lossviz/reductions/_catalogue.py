"""The rows of `REDUCTIONS`: the five calculations of spec/losses.md §1, then what other libraries divide by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossviz.reductions._flags import FLAGS, reduce_sequence_loss, sum_of_weights
from lossviz.reductions._means import mean_of_means, micro_batches, sequences, timesteps
from lossviz.reductions._options import Options
from lossviz.reductions._reduced import Reduced

__all__ = ["REDUCTIONS", "Reduction"]

Array = np.ndarray
Reduce = Callable[[Array, Array, Options], Reduced]
PER_TIMESTEP, MEAN_OF_MEANS = "nats per timestep", "nats (mean of means)"
SUM = r"\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}"
WEIGHTS = r"\sum_{b,t} w_{bt}"
MEAN = r"\frac{\sum_t w_{bt}\,\mathrm{loss}_{bt}}{\sum_t w_{bt}}"
MEAN_AT = r"\frac{\sum_b w_{bt}\,\mathrm{loss}_{bt}}{\sum_b w_{bt}}"


@dataclass(frozen=True)
class Reduction:
    """One way to reduce: its name in `Settings`, its title on screen, its formula in LaTeX, and where it comes from.

    `reduce(loss, weights, options)` takes the loss [B, T] with 0 where the weight is 0, and the weights [B, T];
    `needs` names the options without which it has no number, `may_take` those that have a default; `unit` is the
    number's.
    """

    name: str
    title: str
    formula: str
    source: str
    reduce: Reduce
    needs: tuple[str, ...] = ()
    may_take: tuple[str, ...] = ()
    unit: str = "nats"


def _over(divisor: Callable[[Array, Options], float], counts: str) -> Reduce:
    """Σ w·loss over a divisor; in `counts`, {weights} stands for what Σ w counts."""

    def reduce(loss: Array, weights: Array, options: Options) -> Reduced:
        numerator = (weights * loss).sum(keepdims=True)
        words = counts.format(weights=sum_of_weights(weights))
        return Reduced(numerator, np.full((1, 1), float(divisor(weights, options))), words)

    return reduce


def _mean(loss: Array, weights: Array, _: Options) -> Reduced:
    return reduce_sequence_loss(loss, weights, (True, True, False, False))


def _counted(loss: Array, weights: Array, _: Options) -> Reduced:
    return reduce_sequence_loss(loss, weights, (False, False, True, True))


def _flags(loss: Array, weights: Array, options: Options) -> Reduced:
    return reduce_sequence_loss(loss, weights, options.flags)


def _decoder(loss: Array, weights: Array, _: Options) -> Reduced:
    weight = weights.sum(keepdims=True)
    longer = weight / max(len(weights), 1) - 1  # mean length − 1
    each = np.divide(weight, longer, out=np.zeros_like(weight), where=longer != 0)
    counts = f"{sum_of_weights(weights)}, over the mean length less 1"
    return Reduced((weights * loss).sum(keepdims=True), each, counts)


def _fraction(divisor: str) -> str:
    return rf"\frac{{{SUM}}}{{{divisor}}}"


REDUCTIONS: tuple[Reduction, ...] = (
    Reduction(
        "mean",
        "Mean: Σ w·loss ÷ Σ w",
        _fraction(WEIGHTS),
        "sequence_loss with its default flags",
        _mean,
        unit=PER_TIMESTEP,
    ),
    Reduction(
        "language_model",
        "Sum (language model)",
        SUM,
        "LanguageModel.calculate_loss: overall_loss",
        _over(lambda *_: 1, "nothing: the losses are summed"),
    ),
    Reduction(
        "encoder_decoder",
        "Sum ÷ B (encoder-decoder)",
        _fraction("B"),
        "Seq2SeqModel.calculate_loss: per_seq_loss",
        _over(lambda w, _: len(w), "sequences in the batch"),
        unit="nats per sequence",
    ),
    Reduction(
        "classification",
        "Sigmoid sum (classifier)",
        r"\sum_b \mathrm{sigmoid\ loss}_{b,\,\mathrm{len}_b - 1}",
        "ClassificationModel.calculate_loss: overall_loss",
        _over(lambda *_: 1, "nothing: the losses are summed"),
    ),
    Reduction(
        "sequence_loss",
        "sequence_loss, four flags",
        r"\frac{\sum w\,\mathrm{loss}}{\sum w \;\mathrm{or}\; \mathrm{count}(w \ne 0)}",
        "tf.contrib.seq2seq.sequence_loss",
        _flags,
        may_take=FLAGS,
        unit=PER_TIMESTEP,
    ),
    Reduction(
        "counted",
        "Sum ÷ count(w ≠ 0)",
        _fraction(r"\mathrm{count}(w \ne 0)"),
        "TF1 SUM_BY_NONZERO_WEIGHTS, tfa.seq2seq.SequenceLoss",
        _counted,
        unit=PER_TIMESTEP,
    ),
    Reduction(
        "positions",
        "Sum ÷ B·T (all positions)",
        _fraction(r"B \cdot T"),
        "Keras sum_over_batch_size with sample_weight",
        _over(lambda w, _: w.size, "positions, padding included"),
        unit="nats per position",
    ),
    Reduction(
        "max_length",
        "Sum ÷ B·L_max",
        _fraction(r"B \cdot L_\mathrm{max}"),
        "TRL dr_grpo, verl seq-mean-token-sum-norm",
        _over(lambda w, o: len(w) * (o.max_length or w.shape[1]), "positions, L_max in each sequence"),
        may_take=("max_length",),
    ),
    Reduction(
        "timesteps",
        "Sum ÷ T",
        _fraction("T"),
        "summed over the batch, averaged over time",
        _over(lambda w, _: w.shape[1], "timesteps of the padded width"),
    ),
    Reduction(
        "timesteps_less_one",
        "Sum ÷ (T − 1)",
        _fraction("T - 1"),
        "summed over the batch, averaged over time after the shift",
        _over(lambda w, _: max(w.shape[1] - 1, 0), "timesteps of the padded width, less one"),
    ),
    Reduction(
        "with_first_labels",
        "Sum ÷ (Σ w + first labels)",
        _fraction(WEIGHTS + r" + \mathrm{count}_b(w_{b0} \ne 0)"),
        "HF Trainer before PR #46204: num_items counted before the shift",
        _over(lambda w, _: w.sum() + np.count_nonzero(w[:, :1]), "{weights}, and each sequence's first label"),
    ),
    Reduction(
        "without_stops",
        "Sum ÷ (Σ w − B)",
        _fraction(WEIGHTS + " - B"),
        "OpenNMT-py, normalization tokens: stop tokens are not counted",
        _over(lambda w, _: w.sum() - len(w), "{weights}, less one for each sequence"),
    ),
    Reduction(
        "timesteps_twice",
        "Sum ÷ (T · Σ w)",
        _fraction(r"T \cdot " + WEIGHTS),
        "d2l MaskedSoftmaxCELoss, as it was printed",
        _over(lambda w, _: w.shape[1] * w.sum(), "{weights}, times the padded width"),
    ),
    Reduction(
        "decoder_length",
        "Mean × (mean length − 1)",
        _fraction(WEIGHTS) + r"\left(\tfrac{1}{B}" + WEIGHTS + r" - 1\right)",
        "ESPnet RNN decoder",
        _decoder,
    ),
    Reduction(
        "sequence_means",
        "Mean of sequence means",
        r"\frac{1}{B}\sum_b " + MEAN,
        "tf.contrib.legacy_seq2seq, TRL grpo",
        mean_of_means("sequences", sequences),
        unit=MEAN_OF_MEANS,
    ),
    Reduction(
        "filled_sequence_means",
        "Mean of means, empty left out",
        r"\frac{1}{\mathrm{count}_b(\sum_t w_{bt} \ne 0)}\sum_b " + MEAN,
        "AllenNLP average='batch'",
        mean_of_means("sequences", sequences, empty=False),
        unit=MEAN_OF_MEANS,
    ),
    Reduction(
        "timestep_means",
        "Mean of timestep means",
        r"\frac{1}{T}\sum_t " + MEAN_AT,
        "sequence_loss with average_across_batch only, then a mean",
        mean_of_means("timesteps", timesteps),
        unit=MEAN_OF_MEANS,
    ),
    Reduction(
        "timestep_means_sum",
        "Sum of timestep means",
        r"\sum_t " + MEAN_AT,
        "a loop over the steps of an RNN that adds up masked means",
        mean_of_means("timesteps", timesteps, divide=False),
    ),
    Reduction(
        "micro_batch_means",
        "Mean of micro-batch means",
        r"\frac{1}{k}\sum_g \frac{\sum_{b \in g,t} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{b \in g,t} w_{bt}}",
        "gradient accumulation that averages averages",
        mean_of_means("micro-batches", micro_batches),
        needs=("accumulation_steps",),
        unit=MEAN_OF_MEANS,
    ),
)
