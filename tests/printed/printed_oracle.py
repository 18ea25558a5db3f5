"""Every printed number of spec/conventions.md and spec/padding-bugs.md, re-derived from those pages without lossviz.

`CONVENTIONS` and `BUGS` map a key to a function of a `Given`; `ACROSS` to one of several. A key is the page's row id,
with a suffix where a row has several numbers (`CODE` strips it). `NEEDS` says which option a key asks for. A number
that can't be printed (0/0, or V ≠ 1 for a classifier) is NaN.
"""

import re

import numpy as np

from tests.printed.given import LN2, Given, at, cross_entropy, no_nan, ratio, total
from tests.printed.random_given import random_given

__all__ = ["ACROSS", "BUGS", "CODE", "CONVENTIONS", "NEEDS", "Given", "aliases", "printed", "random_given"]


# ---------------------------------------------------------------------------------------------- spec/conventions.md


def first_labels(g):
    """r: rows whose first label is supervised; HF counted labels before the shift that drops the first one."""
    return float((g.W[:, 0] != 0).sum())


def keras_masked(g):
    """C05k: weights · (mask · total/valid), over total = Σ w·ce·mask / Σ mask; the mask is of the lengths."""
    mask = g.prefix(g.ends)
    return no_nan(total(g.CE, g.W * mask), float(mask.sum()))


def allennlp_rows(g):
    """C07a: rows without a timestep are left out of the divisor."""
    filled = float((g.W.sum(axis=1) > 0).sum())
    return no_nan(sum(s / (n + 1e-13) for s, n in g.sums(g.rows)), filled)


def mean_perplexity(g):
    """C13: a row without a timestep has no perplexity and is left out."""
    filled = [np.exp(s / n) for s, n in g.sums(g.rows) if n != 0]
    return ratio(float(sum(filled)), len(filled))


def lightning(g):
    """C21b: Σ_i B_i · mean_i / Σ_i B_i."""
    return sum(len(rows) * m for rows, m in zip(g.micro_batches, g.means(g.micro_batches), strict=True)) / g.B


def class_weighted(g, *, by_weight):
    cw = np.where(g.W != 0, at(np.broadcast_to(g.class_weights, g.logits.shape), g.targets), 0.0) * g.W
    return ratio(total(g.CE, cw), float(cw.sum()) if by_weight else g.N)


def bits_per_byte(g):
    """C25: nats of the tokens that have bytes, over ln 2 · their bytes; bytes count once each, whatever the weight."""
    size = np.where(g.targets >= 0, np.asarray(g.bytes_per_token)[np.clip(g.targets, 0, g.V - 1)], 0)
    counted = (g.W != 0) & (size > 0)
    return ratio(total(g.CE, np.where(counted, g.W, 0.0)), LN2 * float(size[counted].sum()))


def with_z(g):
    """Z1: every timestep's loss is CE + z·ln²Z."""
    return total(g.CE + g.z * g.log_normalizer**2, g.W)


def lagged(g, k):
    """A_k: the mean of −ln p[b, t, Y[b, t+k]] where t and t+k are both supervised, with the label's weight."""
    pairs = [(b, t, t + k) for b in range(g.B) for t in range(g.T) if 0 <= t + k < g.T]
    pairs = [(b, t, u) for b, t, u in pairs if g.W[b, t] != 0 and g.W[b, u] != 0]
    sums = sum(-g.log_p[b, t, g.targets[b, u]] * g.W[b, u] for b, t, u in pairs)
    return ratio(float(sums), float(sum(g.W[b, u] for b, _, u in pairs)))


def shift_inside(g):
    """SH1: logits[:, :-1] against labels[:, 1:], the labels' own weights; for a mask of lengths this is A_{+1}."""
    w = g.W[:, 1:]
    return ratio(total(cross_entropy(np.asarray(g.logits, float)[:, :-1], g.targets[:, 1:]), w), float(w.sum()))


def classification(g):
    """Σ_b of the sigmoid loss at timestep len−1: −ln σ(x) for label 1, −ln σ(−x) for label 0; ln(1+exp(∓x))."""
    if g.V != 1:
        return float("nan")
    last = [(b, n - 1) for b, n in enumerate(g.ends)]
    return float(sum(np.logaddexp(0, -g.logits[b, t, 0] if g.targets[b, t] else g.logits[b, t, 0]) for b, t in last))


CONVENTIONS = {
    "C01": lambda g: g.S,
    "C02": lambda g: g.S_all,
    "C03": lambda g: g.mean,
    "C03e": lambda g: g.S / (g.N + 1e-12),
    "C03n": lambda g: no_nan(g.S, g.N),
    "C03z": lambda g: no_nan(g.S, g.nonzero),
    "C04": lambda g: g.S_all / g.BT,
    "C05": lambda g: g.S / g.BT,
    "C05k": keras_masked,
    "C05p": lambda g: g.S / (g.BT + g.B),
    "C05w": lambda g: no_nan(g.S, g.N),
    "C06": lambda g: g.S / g.B,
    "C06t": lambda g: g.mean,
    "C07": lambda g: sum(s / (n + 1e-12) for s, n in g.sums(g.rows)) / g.B,
    "C07a": allennlp_rows,
    "C07t": lambda g: g.S / (g.N + 1e-13),
    "C07g": lambda g: float(np.mean(g.means(g.rows, divide=no_nan))),  # TRL clamps N_b, verl adds 1e-8: 0 if empty
    "C08": lambda g: g.S / g.T,
    "C08m": lambda g: ratio(g.S, g.T - 1),
    "C09": lambda g: float(np.mean(g.means(g.columns, axis=1, divide=no_nan))),  # a column of padding gives 0
    "C10": lambda g: sum(g.means(g.columns, axis=1, divide=no_nan)),
    "C11": lambda g: g.mean / LN2,
    "C11s": lambda g: g.S / g.B / LN2,
    "C12": lambda g: float(np.exp(min(g.mean, 100.0))),  # OpenNMT-py's cap; exp(100) is never printed by the others
    "C13": mean_perplexity,
    "C14": lambda g: g.S / (g.N + first_labels(g)),
    "C14n": lambda g: ratio(sum(s for s, _ in g.sums(g.micro_batches)), sum(n for _, n in g.sums(g.micro_batches))),
    "C15": lambda g: ratio(g.S, g.N - g.B),
    "C16": lambda g: ratio(float(np.where(g.W != 0, g.CE * g.W, 0.0).mean(axis=1).sum()), g.N),
    "C17": lambda g: g.S / (g.B * g.max_length),
    "C17l": lambda g: float(np.mean([no_nan(s, n) * n for s, n in g.sums(g.rows)])),
    "C18": lambda g: ratio(sum(s for s, _ in g.sums(g.micro_batches)), sum(n for _, n in g.sums(g.micro_batches))),
    "C18o": lambda g: float(np.mean(g.means(g.micro_batches))),
    "C19": lambda g: g.means(g.micro_batches)[-1],
    "C20": lambda g: g.S / g.B,
    "C20p": lambda g: float(np.exp(g.S / g.B / g.T)),  # exp(Σ cost / Σ num_steps) over batches of T steps
    "C21": lambda g: float(np.mean(g.means(g.micro_batches))),  # the micro-batches are the evaluation's batches
    "C21b": lightning,
    "C22": lambda g: g.mean * (float(np.mean(g.ends)) - 1),
    "C23": lambda g: no_nan(g.S, g.nonzero),
    "C23w": lambda g: no_nan(g.S, g.N),
    "C24": lambda g: class_weighted(g, by_weight=True),
    "C25": bits_per_byte,
    "LS1": lambda g: ratio(total(g.LS_V, g.W), g.N),
    "LS2": lambda g: ratio(total(g.LS_V1, g.W), g.N),
    "LS2b": lambda g: ratio(total(g.LS_V1, g.W), g.N) / LN2,
    "LS3": lambda g: ratio(total(g.LS_V1 - g.H, g.W), g.N),
    "LS3s": lambda g: total(g.LS_V1 - g.H, g.W),  # T5X: the sum, loss_normalizing_factor None
    "LS4": lambda g: total(g.LS_V1 - g.H, g.W) / g.B,
    "LS4n": lambda g: ratio(total(g.LS_V1 - g.H, g.W), g.N),
    "LS5": lambda g: total(g.KL_V2, g.W),
    "LS5n": lambda g: ratio(total(g.KL_V2, g.W), g.N),
    "LS6": lambda g: ratio(total(g.CE_V2, g.W), g.N),
    "Z1": lambda g: ratio(with_z(g), g.N),  # MaxText
    "Z1s": with_z,  # T5X: the sum
    "SH1": shift_inside,
    "language_model": lambda g: g.S,
    "encoder_decoder": lambda g: g.S / g.B,
    "classification": classification,
    "at+ab": lambda g: no_nan(g.S, g.N),
    "st+sb": lambda g: no_nan(g.S, g.nonzero),
    "mean": lambda g: no_nan(g.S, g.N),
}


# --------------------------------------------------------------------------------------------- spec/padding-bugs.md


def masked(g, mask, ce=None):
    """The token mean under another mask."""
    return ratio(total(g.CE if ce is None else ce, mask), float(mask.sum()))


def right_aligned(g):
    """PAD07: 1 where t ≥ T − len."""
    return (np.arange(g.T) >= g.T - g.ends[:, None]).astype(np.float64)


def rescaled(g, ce):
    """The token mean with other per-timestep losses."""
    return ratio(total(ce, g.W), g.N)


def smooth_everywhere(g):
    """RED10: the smoothing term is summed over the ignored timesteps too."""
    return ratio((1 - g.smoothing) * g.S + g.smoothing * float(g.mean_v.sum()), g.N)


def smooth_over_all(g):
    """RED10b: the smoothing term is a plain mean over B·T, the other one S/N (PyTorch 1.10)."""
    return (1 - g.smoothing) * g.mean + g.smoothing * float(g.mean_v.sum()) / g.BT


def not_shifted_inputs(g):
    """SHF01x: the labels are the tokens that the model reads."""
    return masked(g, g.W, cross_entropy(np.asarray(g.logits, float), g.inputs))


def transposed_logits(g):
    """SHF08: the logits are flattened time-major, targets and weights batch-major."""
    logits = np.asarray(g.logits, float).transpose(1, 0, 2).reshape(g.B, g.T, g.V)
    return masked(g, g.W, cross_entropy(logits, g.targets))


def rows_permuted(g):
    """SHF10: the logits' rows come longest first, nothing else does."""
    order = list(np.argsort(-g.ends, kind="stable") if g.permutation is None else g.permutation)
    return masked(g, g.W, cross_entropy(np.asarray(g.logits, float)[order], g.targets))


def softmax_twice(g):
    """MOD01: probabilities where logits should be."""
    return rescaled(g, cross_entropy(np.exp(g.log_p), g.targets))


def not_from_logits(g):
    """MOD02: logits read as probabilities: clipped to [1e-7, 1 − 1e-7], divided by their sum."""
    z = np.clip(np.asarray(g.logits, float), 1e-7, 1 - 1e-7)
    return -np.log(at(z / z.sum(axis=-1, keepdims=True), g.targets))


def bfloat16(values):
    """Rounded to 8 significant bits, ties to even: float32 with its lower 16 bits rounded away."""
    bits = np.asarray(values, dtype=np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


def half_precision_logits(g):
    """NUM06: the logits were bfloat16, the loss wide, as under autocast. A loss in bfloat16 differs by kernel."""
    return rescaled(g, cross_entropy(bfloat16(g.logits), g.targets))


BUGS = {
    "PAD01": lambda g: g.S_all / g.BT,
    "PAD02": lambda g: g.S / g.BT,
    "PAD03": lambda g: ratio(g.S_all, g.N),
    "PAD04": lambda g: masked(g, (g.targets != g.pad_id).astype(float)),
    "PAD05": lambda g: masked(g, g.W * (g.targets != g.eos_id)),
    "PAD06": lambda g: masked(g, 1 - g.W),
    "PAD07": lambda g: masked(g, right_aligned(g)),
    "PAD08-": lambda g: masked(g, g.prefix(g.ends - 1)),
    "PAD08+": lambda g: masked(g, g.prefix(g.ends + 1)),  # a full row stays full
    "PAD17": lambda g: float((g.log_p.argmax(axis=-1) == g.targets).mean()),  # accuracy over B·T
    "RED01": lambda g: float(np.mean(g.means(g.micro_batches))),
    "RED01s": lambda g: float(np.mean(g.means(g.strided))),
    "RED02": lambda g: len(g.micro_batches) * g.mean,
    "RED02s": lambda g: sum(g.means(g.micro_batches)),
    "RED03": lambda g: float(np.mean(g.means(g.ranks))),
    "RED03t": lambda g: float(np.mean(g.means(g.chunks, axis=1))),
    "RED03x": lambda g: g.mean * g.world_size,
    "RED03d": lambda g: g.mean / g.world_size,
    "RED04": lambda g: g.S / (g.N + first_labels(g)),
    "RED05": lambda g: float(np.mean(g.means(g.rows, divide=no_nan))),
    "RED06": lambda g: ratio(g.S, g.T * g.N),
    "RED06t": lambda g: g.S / g.T,
    "RED06m": lambda g: ratio(g.S, g.T - 1),
    "RED06b": lambda g: float(np.mean([s / g.T for s, _ in g.sums(g.rows)])),  # = S/(B·T): PAD02
    "RED07": lambda g: float(np.mean(np.outer(g.CE.ravel(), g.W.ravel()))),  # = (S_all/BT)·(N/BT)
    "RED07s": lambda g: g.S_all / g.BT,  # masked_select broadcasts: every loss N times over, / (N·BT)
    "RED08": lambda g: no_nan(g.S, g.N),
    "RED08z": lambda g: no_nan(g.S, g.nonzero),
    "RED08b": lambda g: g.S / g.BT,
    "RED09": lambda g: class_weighted(g, by_weight=True),
    "RED09n": lambda g: class_weighted(g, by_weight=False),
    "RED10": smooth_everywhere,
    "RED10b": smooth_over_all,
    "RED11": lambda g: ratio(total(g.LS_V, g.W), g.N),
    "RED11b": lambda g: ratio(total(g.LS_V1, g.W), g.N),
    "RED11c": lambda g: total(g.KL_V2, g.W),
    "RED12": lambda g: float(np.mean(g.means(g.micro_batches))),
    "RED12w": lightning,
    "RED12p": lambda g: float(np.mean(np.exp(g.means(g.micro_batches)))),
    "RED13": lambda g: 2.0**g.mean,
    "RED13e": lambda g: float(np.exp(g.mean / LN2)),
    "RED13b": lambda g: g.mean / LN2,  # bits under a label that says nats
    "RED15": lambda g: ratio(total(g.CE, g.W**2), g.N),
    "RED16": lambda g: ratio(g.S, g.N - g.B),
    "RED17": lambda g: g.means(g.micro_batches)[-1],
    "SHF01": lambda g: lagged(g, -1),  # aligned arrays, a loop that scores the current token Y[t−1]
    "SHF01x": not_shifted_inputs,
    "SHF02": lambda g: lagged(g, +1),  # aligned arrays, a loop that shifts once more: = SH1
    "SHF08": transposed_logits,
    "SHF08m": lambda g: ratio(total(g.CE.ravel(), g.W.T.ravel()), g.N),  # only the weights are flattened time-major
    "SHF10": rows_permuted,
    "MOD01": softmax_twice,
    "MOD02": lambda g: rescaled(g, not_from_logits(g)),
    "MOD02u": lambda g: float(np.mean(not_from_logits(g))),
    "MOD08": lambda g: g.S_all / g.BT,
    "NUM06": half_precision_logits,
    "NUM08": lambda g: rescaled(g, np.minimum(g.CE, -np.log(1e-10))),  # 23.026: sockeye
    "NUM08k": lambda g: rescaled(g, np.minimum(g.CE, -np.log(1e-7))),  # 16.118: Keras
}

GROUPED = (
    "C14n",
    "C18",
    "C18o",
    "C19",
    "C21",
    "C21b",
    "RED01",
    "RED01s",
    "RED02",
    "RED02s",
    "RED12",
    "RED12p",
    "RED17",
)
NEEDS = (
    dict.fromkeys(GROUPED, "accumulation_steps")
    | dict.fromkeys(("RED03", "RED03t", "RED03x", "RED03d"), "world_size")
    | dict.fromkeys(("LS1", "LS2", "LS2b", "LS3", "LS3s", "LS4", "LS4n", "LS5", "LS5n", "LS6"), "smoothing")
    | dict.fromkeys(("RED10", "RED10b", "RED11", "RED11b", "RED11c"), "smoothing")
    | dict.fromkeys(("C24", "RED09", "RED09n"), "class_weights")
    | {"C25": "bytes_per_token", "C17": "max_length", "Z1": "z", "Z1s": "z", "SHF01x": "inputs"}
    | {"PAD04": "pad_id", "PAD05": "eos_id"}
)
"""The option that a key can't do without; its function fails or says nothing new when the option is left out."""


def is_set(given, option):
    """Whether an option says something: not None, k or c above 1, smoothing or z above 0."""
    if option == "accumulation_steps":
        return len(given.micro_batches) > 1
    value = getattr(given, option)
    nothing = {"smoothing": 0, "z": 0, "world_size": 1}
    return value is not None and value != nothing[option] if option in nothing else value is not None


def values_of(given):
    """Every key that the given options allow and whose value is finite."""
    possible = {key: f for key, f in (CONVENTIONS | BUGS).items() if key not in NEEDS or is_set(given, NEEDS[key])}
    values = {key: float(f(given)) for key, f in possible.items()}
    return {key: value for key, value in values.items() if np.isfinite(value)}


NUMBERED = re.compile(r"(?:C|LS|Z|SH|PAD|RED|SHF|MOD|NUM)\d+")
OWN_ROW = {"C03e", "C03n", "C03z", "C05k", "C05p", "C05w", "C06t", "C07a", "C07t", "C07g", "C11s", "C14n", "C17l"}


def _code(key):
    found = NUMBERED.match(key)
    return key if found is None or key in OWN_ROW else found.group()


CODE = {key: _code(key) for key in (*CONVENTIONS, *BUGS)}
"""The row of the page that a key belongs to: "PAD08-" is PAD08, "LS2b" is LS2, "C03e" is a row of its own."""


# ----------------------------------------------------------------------------------------------- several batches


def _all(batches):
    sums = [(g.S, g.N) for g in batches]
    return sums, [ratio(s, n) for s, n in sums]


def divide_once(batches):
    """ΣS / ΣN: what the mean over everything is."""
    sums, _ = _all(batches)
    return ratio(sum(s for s, _ in sums), sum(n for _, n in sums))


ACROSS = {
    "C14n": divide_once,
    "C18": divide_once,
    "C18o": lambda batches: float(np.mean(_all(batches)[1])),
    "C21": lambda batches: float(np.mean(_all(batches)[1])),
    "C21b": lambda batches: (
        sum(g.B * m for g, m in zip(batches, _all(batches)[1], strict=True)) / sum(g.B for g in batches)
    ),
    "RED12": lambda batches: float(np.mean(_all(batches)[1])),
    "RED12p": lambda batches: float(np.mean(np.exp(_all(batches)[1]))),
    "RED12e": lambda batches: float(np.exp(np.mean(_all(batches)[1]))),
}
"""A number printed once for several batches, each a `Given`."""


def printed(given: Given, digits: int = 5) -> dict[str, str]:
    """What a loop prints under every convention and bug, in so many significant digits; `values_of` says which."""
    return {key: significant(value, digits) for key, value in values_of(given).items()}


def significant(value, digits):
    """As a loop prints it, never in exponents: 1.25454 → '1.2545', 13.8 → '13.800', 0.0123456 → '0.012346'."""
    if value == 0:
        return f"{0:.{digits - 1}f}"
    decimals = digits - 1 - int(np.floor(np.log10(abs(float(f"{value:.{digits - 1}e}")))))
    return f"{value:.{max(decimals, 0)}f}"


def aliases(given: Given, relative: float = 1e-9) -> dict[str, frozenset[str]]:
    """The keys whose values nobody can tell apart on this batch, each with itself among them."""
    values = values_of(given)
    return {
        key: frozenset(other for other, w in values.items() if abs(v - w) <= relative * max(abs(v), abs(w)))
        for key, v in values.items()
    }
