"""What the lessons should say, worked out again in float64 from the samples' arrays; lossviz computes nothing here."""

import math
from typing import Any

import numpy as np

from lossviz.rules import load_rule_sample
from lossviz.samples import load_sample

LN2 = np.log(2)


def losses(logits, targets):
    z = np.asarray(logits, np.float64)
    top = z.max(-1, keepdims=True)
    return (
        np.log(np.exp(z - top).sum(-1))
        + top[..., 0]
        - np.take_along_axis(z, np.asarray(targets)[..., None], -1)[..., 0]
    )


def sigmoid_losses(z, y):
    return -np.log(
        np.where(np.asarray(y) == 1, 1 / (1 + np.exp(-np.asarray(z, float))), 1 / (1 + np.exp(np.asarray(z, float))))
    )


def of(name):
    fields = load_sample(name)
    return losses(fields["logits"], fields["targets"]), fields


def mask_of(lengths, width):
    return (np.arange(width) < np.asarray(lengths)[:, None]).astype(float)


G, GOLDEN = of("golden")
M = mask_of([5, 4, 2], 5)
S, N, ALL = (G * M).sum(), M.sum(), G.sum()
ROWS = (G * M).sum(1) / M.sum(1)
P, PADDED = of("padding-mask")
PM = np.sign(PADDED["targets"])
W = np.array([[1, 1, 0.5, 0.5, 1], [2, 1, 1, 1, 0], [1, 0.5, 0, 0, 0]])
LM, LMF = of("language-model-trained")
LMM = mask_of(LMF["lengths"], LM.shape[1])
D0, D0F = of("dates-untrained")
D0M = mask_of(D0F["lengths"], 11)
D1, D1F = of("dates-half-trained")
D1M = mask_of(D1F["lengths"], 11)
REVIEWS = load_sample("reviews-trained")
R = sigmoid_losses(REVIEWS["logits"][..., 0], REVIEWS["targets"])
PROBABILITIES = np.array([0.5, 0.25, 0.125, 0.125])
SOFTMAX_TWICE = np.log(np.exp(PROBABILITIES).sum())
SIGN = (GOLDEN["targets"] != 0).astype(float)
SIGN_LENGTHS = mask_of(SIGN.sum(1), 5)
SHORT, LONG = mask_of([4, 3, 1], 5), mask_of([5, 5, 3], 5)
MICRO = ((G * M)[:2].sum() / M[:2].sum() + (G * M)[2:].sum() / M[2:].sum()) / 2
SHIFTED = load_rule_sample("SHF01")
SHIFTED_LOSS = losses(SHIFTED["logits"], SHIFTED["targets"])
SHIFTED_MASK = mask_of(SHIFTED["lengths"], SHIFTED_LOSS.shape[1])
CAST = float(sum(1 for b in range(3) for t in range(5) if M[b, t] and int(G[b, t] + 1e-6) != 0))
LEGAL = sum(
    not (at and st) and not (ab and sb) and not (at and sb) and not (ab and st)
    for at in (0, 1)
    for ab in (0, 1)
    for st in (0, 1)
    for sb in (0, 1)
)
SPARSE = "sparse_softmax_cross_entropy_with_logits(targets, logits)"
DENSE = "softmax_cross_entropy_with_logits(targets, logits)"
SWAPPED = "sparse_softmax_cross_entropy_with_logits(logits, targets)"
KERAS, PER_ROW = "Keras: mean of weight · loss, over all positions", "Mean of the sequences' own means"
COUNTED, PER_SEQUENCE = "Σ ÷ timesteps that count", "Σ ÷ batch size"
NAN = float("nan")


def others(right, *options):
    return right, [option for option in options if option != right]


FOUR = [COUNTED, KERAS, PER_SEQUENCE, PER_ROW]
ANSWERS: dict[
    str, list[Any]
] = {  # of each step, per question: the right answer, and what each misconception gives, in order
    "1.1": [(3 * 5 * 6, [3 * 5, 6]), (3 * 5, [3 * 5 * 6, 3])],
    "1.2": [(SPARSE, [DENSE, SWAPPED])],
    "1.3": [(np.log(99), [1 / 99, np.log(99) / LN2])],
    "1.4": [(LN2, [0.5, 2 * LN2])],
    "1.5": [(LN2, [LN2 + 10, 0])],
    "1.6": [(SOFTMAX_TWICE - 0.5, [LN2, 0.5])],
    "1.7": [({(0, 2), (2, 0)}, [(0, 1), (2, 1)])],
    "2.1": [((P * PM).sum(), [P.sum(), (P * (1 - PM)).sum()])],
    "2.2": [(P[0, 4], [0, P[0, 3]])],
    "2.3": [((P * PM).mean(), [(P * PM).sum() / PM.sum(), P.mean()])],
    "2.4": [((3, 4), [(3, 6), (4, 3)])],
    "2.5": [((2, 5, 1), [(2, 5), "error"])],
    "2.6": [(CAST, [S, N])],
    "2.7": [((G * SIGN).sum() / SIGN.sum(), [S / N, (G * SIGN_LENGTHS).sum() / SIGN_LENGTHS.sum()])],
    "2.8": [others("Higher" if LM.mean() > (LM * LMM).sum() / LMM.sum() else "Lower", "Higher", "Lower", "The same")],
    "3.1": [(S, [S / N, ALL])],
    "3.2": [(2 * S, [S]), (S / N, [2 * S / N])],
    "3.3": [("[10, 7, 8]", ["[7, 8, 11]", "[7, 8]"]), ("[7, 8, 11]", ["[10, 7, 8]", "[7, 8]"]), (3, [2])],
    "3.4": [(113 + 2, [113, 114])],
    "3.5": [(S / 3, [S / N, S / 15])],
    "3.6": [((5 * 11 + 8 + 8 + 5) / 8 * np.log(115), [np.log(115), 11 * np.log(115)])],
    "3.7": [(np.log(1 + np.exp(2)), [np.log(1 + np.exp(-2)), 1 / (1 + np.exp(-2))])],
    "3.8": [({(0, int(REVIEWS["lengths"][0]) - 1)}, [(0, 14), (0, 4)])],
    "4.1": [((W * G).sum() / W.sum(), [(W * G).sum() / (W != 0).sum(), (W * G).sum() / 15])],
    "4.2": [((W * G).sum() / (W != 0).sum(), [(W * G).sum(), (W * G).sum() / W.sum()])],
    "4.3": [((W * G)[2].sum() / W[2].sum(), [(W * G)[2].sum() / 5, (W * G)[2].sum() / 2]), ((3,), [(5,)])],
    "4.4": [
        ((W * G)[:, 2].sum() / W[:, 2].sum(), [(W * G)[:, 2].sum() / 3, (W * G)[:, 2].sum() / 2]),
        ((5,), [(3,)]),
    ],
    "4.5": [((W * G)[0, 2], [G[0, 2], (W * G)[0, 2] / W.sum()]), ((3, 5), [()])],
    "4.6": [(LEGAL, [16, 16 - LEGAL])],
    "4.7": [("Yes", ["No"])],
    "4.8": [others(right, *FOUR) for right in FOUR],
    "5.1": [(NAN, [3, 0])],
    "5.2": [(NAN, [0, 1])],
    "5.3": [
        ((G * SHORT).sum() / SHORT.sum(), [S / N, (G * LONG).sum() / LONG.sum()]),
        ("[0, 4], [1, 3], [2, 1]", ["[0, 0], [1, 0], [2, 0]", "[0, 4], [1, 4], [2, 4]"]),
    ],
    "5.4": [(S / 30, [S / 15, S / N])],
    "5.5": [(MICRO, [S / N, ROWS.mean()]), ((1 / 2) / (1 / 9), [5 / 2, 1])],
    "5.6": [(np.exp(S / N), [np.exp(ROWS).mean(), np.exp(G[M == 1]).mean()])],
    "5.7": [("The mask is upside down", ["The model is excellent", "The loss is in bits"])],
    "5.8": [("The targets are not shifted", ["The model is great", "The padding counts"])],
}
LM0, LM0F = of("language-model-untrained")
ALSO = {"1.3": LM0[mask_of(LM0F["lengths"], 38) == 1].mean(), "3.6": (D0 * D0M).sum() / 8}
PROGRAMS = {  # what the step's code leaves, where that is not the answers to its questions
    "1.2": [ALL],
    "1.7": [0, 2, 2, 0],
    "2.8": [LM.mean()],
    "3.3": [10, 7, 8, 7, 8, 11, 3],
    "3.8": [sum(R[b, length - 1] for b, length in enumerate(REVIEWS["lengths"]))],
    "3.9": [S],
    "3.10": [S / 3],
    "3.11": [sigmoid_losses([2, -1, 0.5], [1, 1, 0]).sum()],
    "4.7": [S / N, S / N],
    "4.8": [S / N, S / 15, S / 3, ROWS.mean()],
    "5.3": [(G * SHORT).sum() / SHORT.sum()],
    "5.7": [(G * (1 - M)).sum() / 4],
    "5.8": [(SHIFTED_LOSS * SHIFTED_MASK).sum() / SHIFTED_MASK.sum()],
}
NUM01 = load_rule_sample("NUM01")
NUM01_LOSS = losses(np.nan_to_num(NUM01["logits"]), NUM01["targets"])
NUM01_MASK = (
    np.asarray(NUM01["weights"]) if NUM01.get("weights") is not None else mask_of(NUM01["lengths"], NUM01_LOSS.shape[1])
)
PROSE = {  # other numbers that a step's texts mention
    "1.5": [losses([4 * LN2, 2 * LN2, 0, 0], 0)],
    "1.6": [0.25, 0.125, np.log(math.e + 3) - 1],
    "1.7": [np.exp(-G[0, 1]), np.exp(-G[2, 1]), LN2],
    "2.6": [S, 0.7],
    "2.8": [(LM * LMM).sum() / LMM.sum(), LM.mean(), LM[LMM == 0].mean(), ALL / 15],
    "3.1": [S, ALL, ALL - S],
    "3.3": [(D1 * D1M).sum() / 8, (losses(D1F["logits"], D1F["inputs"]) * D1M).sum() / 8],
    "3.6": [(D1 * D1M).sum() / 8],
    "3.7": [*sigmoid_losses([2, -1, 0.5], [1, 1, 0]), sigmoid_losses([2, -1, 0.5], [1, 1, 0]).sum()],
    "3.8": [sum(R[b, length - 1] for b, length in enumerate(REVIEWS["lengths"])), R[:, 14].sum()],
    "3.10": [(D1 * D1M).sum() / 8, (losses(D1F["logits"], D1F["inputs"]) * D1M).sum() / 8],
    "3.11": [
        sigmoid_losses([2, -1, 0.5], [1, 1, 0]).sum(),
        R[:, 14].sum(),
        sum(R[b, length - 1] for b, length in enumerate(REVIEWS["lengths"])),
    ],
    "4.1": [(W * G).sum(), W.sum()],
    "4.2": [(W * G).sum()],
    "5.1": [(NUM01_LOSS * NUM01_MASK).sum() / NUM01_MASK.sum()],
    "5.7": [(G * (1 - M)).sum() / 4],
}
