r"""Label smoothing: another loss than the cross entropy, then one of the usual divisors.

With ε the smoothing, V the classes, U the mean over the classes of −log p:

    over all classes:     (1 − ε)·loss + ε·U
    over the other ones:  (1 − ε − i)·loss + i·V·U,  i = ε / (V − 1)
    its least value:      H = −(1 − ε) ln(1 − ε) − ε ln(i + 10⁻²⁰)
"""

from functools import partial
from typing import Any

import numpy as np

from lossviz.conventions._convention import ADD, FINITE, PADDING, ROWS, SCALE, SPLIT, Convention
from lossviz.conventions._make import custom, users
from lossviz.conventions._terms import Terms
from lossviz.conventions._without_pad import mass, total_without_pad
from lossviz.reductions import Options

__all__ = ["SMOOTHED"]

SUM = r"\sum_{b,t} w_{bt}\,"
WEIGHTS = r"\sum_{b,t} w_{bt}"
ALL = r"\left((1-\varepsilon)\,\mathrm{loss}_{bt} - \frac{\varepsilon}{V}\sum_v \log p_{btv}\right)"
OTHERS = r"\left((1-\varepsilon-i)\,\mathrm{loss}_{bt} - i\sum_v \log p_{btv}\right)"
ABOVE_LEAST = r"\left((1-\varepsilon-i)\,\mathrm{loss}_{bt} - i\sum_v \log p_{btv} - H\right)"
SMALL_I = r",\; i = \frac{\varepsilon}{V-1}"
ENTROPY = SMALL_I + r",\; H = -(1-\varepsilon)\ln(1-\varepsilon) - \varepsilon\ln\left(i + 10^{-20}\right)"
WITHOUT_PAD = r"q_{btv} = 1-\varepsilon \text{ at the target}, \frac{\varepsilon}{V-2} \text{ elsewhere}"
KL = r"\sum_{v \ne \mathrm{pad}} q_{btv} \ln\frac{q_{btv}}{p_{btv}},\; " + WITHOUT_PAD
CROSSED = r"\sum_{v \ne \mathrm{pad}} -q_{btv} \ln p_{btv},\; " + WITHOUT_PAD
TOKENS, TOKEN_COUNTS = (PADDING, ROWS, SCALE), "timesteps that count"
SUMMED, SUM_COUNTS = (PADDING, ROWS, ADD, FINITE), "nothing: the losses are summed"
ONE = np.float64(1)

Array = np.ndarray


def _over_all(terms: Terms, options: Options) -> Any:
    e = options.smoothing or 0.0
    return (1 - e) * terms.total_loss + e * terms.total_uniform_loss


def _over_others(terms: Terms, options: Options) -> Any:
    e, other = mass(terms, options, 1)
    return (1 - e - other) * terms.total_loss + other * terms.classes * terms.total_uniform_loss


def _above_least(terms: Terms, options: Options) -> Any:
    e, other = mass(terms, options, 1)
    least = -((1 - e) * np.log(1 - e) + e * np.log(other + 1e-20))
    return _over_others(terms, options) - least * terms.total_weight


def _crossed(terms: Terms, options: Options) -> Any:
    return total_without_pad(terms, options.smoothing or 0.0)[0]


def _joey(terms: Terms, options: Options) -> Any:
    return total_without_pad(terms, options.smoothing or 0.0)[1]


def _tokens(terms: Terms, _: Options) -> Any:
    return terms.total_weight


def _nothing(*_: Any) -> Any:
    return ONE


_smoothed = partial(custom, needs=("smoothing",), first="smooths the labels with ε = {smoothing:g}")

SMOOTHED: tuple[Convention, ...] = (
    _smoothed(
        "LS1",
        "Label smoothing over all classes",
        users(
            ("PyTorch", "cross_entropy(label_smoothing=…)", "torch/nn/functional.py"),
            ("Hugging Face", "LabelSmoother", "transformers/trainer_pt_utils.py"),
            ("AllenNLP", "sequence_cross_entropy_with_logits", "allennlp/nn/util.py"),
            ("Marian", "with each of its own divisors", "src/layers/loss.cpp"),
        ),
        TOKENS,
        formula=rf"\frac{{{SUM}{ALL}}}{{{WEIGHTS}}}",
        numerator=_over_all,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        bugs=("RED11",),
        reported_by="RED11",
        searched_as=("LS1", "mean"),
    ),
    _smoothed(
        "LS2",
        "Label smoothing over the other classes",
        users(
            ("OpenNMT-tf", "cross_entropy_sequence_loss", "opennmt/utils/losses.py"),
            ("Sockeye", "metric", "sockeye/loss.py"),
        ),
        TOKENS,
        formula=rf"\frac{{{SUM}{OTHERS}}}{{{WEIGHTS}}}" + SMALL_I,
        numerator=_over_others,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        bugs=("RED11",),
        reported_by="RED11",
        searched_as=("LS2", "mean"),
    ),
    _smoothed(
        "LS2b",
        "fairseq label smoothing, in bits",
        users(("fairseq", "label_smoothed_cross_entropy", "fairseq/criterions/label_smoothed_cross_entropy.py")),
        TOKENS,
        formula=rf"\frac{{1}}{{\ln 2}}\,\frac{{{SUM}{OTHERS}}}{{{WEIGHTS}}}" + SMALL_I,
        numerator=_over_others,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        unit="bits",
        bugs=("LS2",),
        searched_as=("LS2", "mean"),
    ),
    _smoothed(
        "LS3",
        "Label smoothing less its least value, mean",
        users(
            ("Tensor2Tensor", "smoothing_cross_entropy", "tensor2tensor/layers/common_layers.py"),
            ("TensorFlow official models", "Transformer", "official/nlp/transformer/utils/metrics.py"),
        ),
        TOKENS,
        formula=rf"\frac{{{SUM}{ABOVE_LEAST}}}{{{WEIGHTS}}}" + ENTROPY,
        numerator=_above_least,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        note="It reads about 0 at its best.",
        searched_as=("LS3", "mean"),
    ),
    _smoothed(
        "LS3s",
        "Label smoothing less its least value, sum",
        users(("T5X", "loss_normalizing_factor=None", "t5x/losses.py")),
        SUMMED,
        formula=SUM + ABOVE_LEAST + ENTROPY,
        numerator=_above_least,
        divisor=_nothing,
        counts=SUM_COUNTS,
        divides=False,
        group="none",
        bugs=("LS3",),
        searched_as=("LS3", "language_model"),
    ),
    _smoothed(
        "LS4",
        "Label smoothing as KL, sum ÷ sequences",
        users(("ESPnet", "LabelSmoothingLoss", "label_smoothing_loss.py")),
        (PADDING, ROWS, SPLIT, FINITE),
        formula=rf"\frac{{1}}{{B}}\,{SUM}{ABOVE_LEAST}" + ENTROPY,
        numerator=_above_least,
        divisor=lambda t, _: len(t.weights),
        counts="sequences in the batch",
        group="sequences",
        searched_as=("LS3", "encoder_decoder"),
    ),
    _smoothed(
        "LS4n",
        "Label smoothing as KL, mean",
        users(("ESPnet", "normalize_length=True", "label_smoothing_loss.py")),
        TOKENS,
        formula=rf"\frac{{{SUM}{ABOVE_LEAST}}}{{{WEIGHTS}}}" + ENTROPY,
        numerator=_above_least,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        bugs=("LS4", "LS3"),
        searched_as=("LS3", "mean"),
    ),
    _smoothed(
        "LS5",
        "Label smoothing as KL, no mass on the pad id",
        users(("JoeyNMT", "XentLoss, before the trainer divides", "joeynmt/loss.py")),
        SUMMED,
        formula=SUM + KL,
        numerator=_joey,
        divisor=_nothing,
        counts=SUM_COUNTS,
        divides=False,
        group="none",
        note="Without a `pad_id` the pad id is 0.",
        bugs=("RED11",),
        reported_by="RED11",
        searched_as=("LS5", "language_model"),
    ),
    _smoothed(
        "LS5n",
        "Label smoothing as KL, no mass on the pad id, mean",
        users(
            ("OpenNMT-py", "LabelSmoothingLoss ÷ words", "onmt/utils/loss.py"),
            ("Annotated Transformer", "LabelSmoothing ÷ tokens", "annotated-transformer#39"),
        ),
        TOKENS,
        formula=rf"\frac{{1}}{{{WEIGHTS}}}\,{SUM}" + KL,
        numerator=_joey,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        note="Without a `pad_id` the pad id is 0.",
        bugs=("RED11",),
        reported_by="RED11",
        searched_as=("LS5", "mean"),
    ),
    _smoothed(
        "LS6",
        "Label smoothing over V − 2 classes, no mass on the pad id",
        users(("OpenNMT-py", "those targets, without their entropy", "onmt/utils/loss.py")),
        TOKENS,
        formula=rf"\frac{{1}}{{{WEIGHTS}}}\,{SUM}" + CROSSED,
        numerator=_crossed,
        divisor=_tokens,
        counts=TOKEN_COUNTS,
        group="weights",
        note="Without a `pad_id` the pad id is 0.",
        bugs=("RED11",),
        reported_by="RED11",
        searched_as=("LS6", "mean"),
    ),
)
