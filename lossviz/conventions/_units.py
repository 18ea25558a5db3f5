"""Numbers in other units: bits and perplexities."""

import numpy as np

from lossviz.conventions._convention import FINITE, PADDING, ROWS, SCALE, SPLIT, Convention
from lossviz.conventions._make import custom, from_reduction, users
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options

__all__ = ["OTHER_UNITS"]


def _perplexities(terms: Terms, _: Options) -> float:
    sums, own_weights = terms.sequence_sums
    return float(np.exp(sums / own_weights).sum())


def _bytes(terms: Terms, options: Options) -> np.ndarray:
    """The bytes of each target that counts, 0 where the label is below 0."""
    sizes = terms.of_target("bytes_per_token", options.bytes_per_token or ())
    return np.where(terms.counts & (terms.targets >= 0), sizes, 0.0)


def _nats_with_bytes(terms: Terms, options: Options) -> float:
    return terms.total(np.where(_bytes(terms, options) != 0, terms.loss, 0.0))


def _perplexity_coefficients(terms: Terms, _: Options) -> tuple[np.ndarray, np.ndarray]:
    """Of (1/B)·Σ_b exp(S_b / N_b) the derivative by a loss of b is exp(S_b / N_b) · w / (N_b · B)."""
    sums, own = terms.sequence_sums
    with np.errstate(all="ignore"):
        factor = np.nan_to_num(np.exp(sums / own) / own / len(own), posinf=0.0, neginf=0.0)
    return terms.weights * factor[:, None], terms.counts


def _byte_coefficients(terms: Terms, options: Options) -> tuple[np.ndarray, np.ndarray]:
    """W / (ln 2 · Σ bytes) where the target has bytes."""
    sizes = np.nan_to_num(_bytes(terms, options))  # NaN where a label is no class
    return np.where(sizes != 0, terms.weights, 0.0) / (np.log(2) * sizes.sum() or 1.0), sizes != 0


OTHER_UNITS: tuple[Convention, ...] = (
    from_reduction(
        "mean",
        "C11",
        "fairseq loss, in bits",
        users(("fairseq", "cross_entropy loss; ppl is 2 to its power", "fairseq/criterions/cross_entropy.py")),
        (PADDING, ROWS, SCALE),
        unit="bits",
        bugs=("RED13",),
        reported_by="RED13",
    ),
    from_reduction(
        "encoder_decoder",
        "C11s",
        "fairseq --sentence-avg, in bits",
        users(("fairseq", "--sentence-avg; nll_loss stays C11", "fairseq/criterions/cross_entropy.py")),
        (PADDING, ROWS, SPLIT, FINITE),
        unit="bits",
    ),
    from_reduction(
        "mean",
        "C12",
        "Perplexity of the mean",
        users(
            ("Marian", "perplexity", "src/layers/loss.cpp"),
            ("OpenNMT-py", "ppl, its exponent at most 100", "onmt/utils/statistics.py"),
        ),
        (PADDING, ROWS, SCALE),
        unit="perplexity",
        cap=100.0,
        note="The exponent is at most 100, as in OpenNMT-py.",
    ),
    custom(
        "C13",
        "Mean of each sequence's perplexity",
        users(
            ("xnmt", "as discussed there", "xnmt#8"),
            ("neuralconvo", "as discussed there", "neuralconvo#67"),
        ),
        (PADDING, ROWS, SCALE, SPLIT),
        formula=r"\frac{1}{B}\sum_b \exp\left(\frac{\sum_t w_{bt}\,\mathrm{loss}_{bt}}{\sum_t w_{bt}}\right)",
        numerator=_perplexities,
        divisor=lambda t, _: len(t.weights),
        counts="sequences, each by its own perplexity",
        group="sequence_means",
        unit="perplexity",
        coefficients=_perplexity_coefficients,
    ),
    from_reduction(
        "positions",
        "C20p",
        "PTB tutorial, perplexity",
        users(("TensorFlow 1", "PTB tutorial, exp(Σ cost ÷ Σ steps)", "tensorflow#3375, #2158")),
        (ROWS, FINITE),
        unit="perplexity",
        bugs=("C20", "PAD02"),
    ),
    custom(
        "C25",
        "Bits per byte",
        users(("nanochat", "evaluate_bpb", "nanochat/loss_eval.py")),
        (PADDING, ROWS),
        formula=r"\frac{1}{\ln 2}\,\frac{\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{b,t} \mathrm{bytes}(y_{bt})}",
        numerator=_nats_with_bytes,
        divisor=lambda t, o: _bytes(t, o).sum(),
        counts="bytes of the targets that count",
        group="other",
        unit="bits",
        needs=("bytes_per_token",),
        note="Labels below 0 and tokens of 0 bytes are left out of both.",
        coefficients=_byte_coefficients,
    ),
)
