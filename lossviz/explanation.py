"""The arithmetic of one timestep, step by step, as data: z → z − max → exp → Σ → −log → × weight → ÷ divisor."""

from dataclasses import dataclass

import numpy as np

from lossviz.digits import latex_lines

__all__ = ["ClassStep", "Explanation", "explain_timestep"]

GROUPS = {
    "sequences": ("sequence", r"\sum_t w_{bt}"),
    "timesteps": ("timestep", r"\sum_b w_{bt}"),
    "micro-batches": ("micro-batch", r"\sum_{b \in g,\, t} w_{bt}"),
}


@dataclass(frozen=True)
class ClassStep:
    """One class of a timestep: its logit z, z − max, exp(z − max), probability, and the gradient it receives."""

    class_id: int
    token: str
    logit: float
    shifted: float
    exponential: float
    probability: float
    gradient: float
    is_target: bool


@dataclass(frozen=True)
class Explanation:
    """How one timestep's loss comes about and what it adds to the number.

    Attributes:
        sequence: the row b; `timestep` is the column t.
        target: the class it should have predicted; `token` its word.
        maximum: the largest logit of the timestep.
        total: Σ exp(z − max) over the classes.
        log_total: log Σ exp(z − max).
        shifted: z_target − max.
        loss: log Σ exp(z − max) − (z_target − max), in nats.
        weight: what the loss is multiplied by; `weighted` = weight × loss.
        divisor: what the sum is divided by; `contribution` = weighted ÷ own ÷ divisor.
        share: contribution ÷ the reported number.
        rank: 1 where the target has the largest logit; `entropy` of the distribution in nats.
        gradient_norm: ‖∂number/∂logits‖₂ of this timestep.
        classes: the top classes and the target, largest probability first; without logits, as far as recorded.
        note: why the timestep has no loss, or "".
        group: what the number is a mean of means of, "sequences", "timesteps" or "micro-batches"; else "".
        own: what the losses of its own group are divided by; 1 where there are no groups.
        has_logits: whether the arithmetic starts from logits; False where the loss itself was recorded.
        sigmoid: the only logit of a classifier's timestep, or None where the arithmetic is a softmax.
    """

    sequence: int
    timestep: int
    target: int
    token: str
    maximum: float
    shifted: float
    total: float
    log_total: float
    probability: float
    loss: float
    weight: float
    weighted: float
    divisor: float
    contribution: float
    share: float
    rank: int
    entropy: float
    gradient_norm: float
    classes: tuple[ClassStep, ...]
    note: str = ""
    group: str = ""
    own: float = 1.0
    has_logits: bool = True
    sigmoid: float | None = None

    @property
    def steps(self) -> tuple[tuple[str, str, float], ...]:
        """Each line of the arithmetic: its name, its formula in LaTeX, its value."""
        if not self.has_logits:
            return (
                ("loss, as recorded", r"\mathrm{loss}", self.loss),
                ("log-probability", r"\log p = -\mathrm{loss}", 0.0 - self.loss),
                ("probability", r"p = e^{-\mathrm{loss}}", self.probability),
                ("times weight", r"w \cdot \mathrm{loss}", self.weighted),
                *self._divisions(),
            )
        if self.sigmoid is not None:
            return self._of_a_sigmoid(self.sigmoid)
        return (
            ("logit of the target", r"z_y", self.maximum + self.shifted),
            ("largest logit", r"\max_v z_v", self.maximum),
            ("shifted", r"z_y - \max_v z_v", self.shifted),
            ("sum of exponentials", r"\sum_v e^{z_v - \max}", self.total),
            ("its logarithm", r"\log \sum_v e^{z_v - \max}", self.log_total),
            ("loss", r"\log \sum_v e^{z_v - \max} - (z_y - \max)", self.loss),
            ("times weight", r"w \cdot \mathrm{loss}", self.weighted),
            *self._divisions(),
        )

    def _of_a_sigmoid(self, logit: float) -> tuple[tuple[str, str, float], ...]:
        """−log of the probability of the label: σ(z) of label 1, and 1 − σ(z) = σ(−z) of label 0."""
        probability = float(np.exp(-np.logaddexp(0.0, -logit)))
        return (
            ("the only logit", "z", logit),
            ("sigmoid: probability of label 1", r"\sigma(z) = 1 / (1 + e^{-z})", probability),
            (
                f"loss of label {self.target}",
                r"-\log \sigma(z)" if self.target == 1 else r"-\log\,(1 - \sigma(z))",
                self.loss,
            ),
            ("times weight", r"w \cdot \mathrm{loss}", self.weighted),
            *self._divisions(),
        )

    def _divisions(self) -> tuple[tuple[str, str, float], ...]:
        """The division by the divisor; in a mean of means, first the one by the weights of the timestep's own group."""
        named = (GROUPS[self.group],) if self.group else ()
        own = tuple((f"divided by, in its {word}", symbol, self.own) for word, symbol in named)
        formula = r" \,/\, ".join([r"w \cdot \mathrm{loss}", *(symbol for _, symbol, _ in own), r"\mathrm{divisor}"])
        return (
            *own,
            ("divided by", r"\mathrm{divisor}", self.divisor),
            ("adds to the number", formula, self.contribution),
        )

    @property
    def latex(self) -> str:
        """The arithmetic line by line as one block of LaTeX, with this timestep's numbers."""
        return latex_lines(self.steps)


def explain_timestep(
    logits: np.ndarray,
    target: int,
    *,
    sequence: int,
    timestep: int,
    tokens: dict[int, str],
    top: list[int],
    weight: float,
    divisor: float,
    number: float,
    own: float = 1.0,
    group: str = "",
    impossible: bool = False,
    binary: bool = False,
) -> Explanation:
    """Work out one timestep in float64 NumPy, independently of the engine.

    Args:
        logits: [V] the timestep's logits.
        target: its class.
        sequence: the row b, for the record, like `timestep`.
        timestep: the column t.
        tokens: words by class id.
        top: the classes to list; the target is added.
        weight: the timestep's weight.
        divisor: the divisor of the number that the timestep is part of.
        number: that number, for the share.
        own: in a mean of means, what the losses of the timestep's own group are divided by.
        group: what the means are of, as in `GROUPS`, or "".
        impossible: whether the length of the sequence makes its loss undefined.
        binary: whether the first of two logits is the constant 0 of a sigmoid, which no gradient reaches.

    >>> e = explain_timestep(np.log([1.0, 3.0]), 0, sequence=0, timestep=0, tokens={}, top=[1], weight=1.0,
    ...                      divisor=2.0, number=1.0)
    >>> round(e.probability, 4), round(e.loss, 4), round(e.contribution, 4)  # 1/4, ln 4, ln 4 / 2
    (0.25, 1.3863, 0.6931)
    """
    z = np.asarray(logits, np.float64)
    valid = 0 <= target < len(z)
    undefined = impossible or not valid
    each = own * divisor
    scale = weight / each if each != 0 else 0.0
    with np.errstate(all="ignore"):
        maximum = float(z.max())
        shifted = z - maximum
        exponential = np.exp(shifted) if np.isfinite(maximum) else np.full(len(z), np.nan)
        # Σ exp(z − max) = 1 + rest: log1p keeps the digits of losses far below 1e-16.
        rest = float(np.delete(exponential, z.argmax()).sum()) if np.isfinite(maximum) else np.nan
        log_total = float(np.log1p(rest))
        probabilities = exponential / (1.0 + rest)
        loss = log_total - float(shifted[target]) if valid else np.nan
        entropy = log_total - float((probabilities * np.where(probabilities == 0, 0.0, shifted)).sum())
        counted = 0.0 if weight == 0 else (np.nan if undefined else weight * loss)
        contribution = counted / each if each != 0 else 0.0
        # p − 1 of the target is expm1(−loss).
        slopes = np.where(np.arange(len(z)) == target, np.expm1(-loss), probabilities)
        slopes = np.where([binary] + [False] * (len(z) - 1), 0.0, slopes)
        gradients = np.zeros(len(z)) if weight == 0 else scale * np.where(undefined, np.nan, slopes)
    listed = sorted({v for v in [*top, target] if 0 <= v < len(z)}, key=lambda v: (-probabilities[v], v))
    return Explanation(
        sequence=sequence,
        timestep=timestep,
        target=target,
        token=tokens.get(target, str(target)),
        maximum=maximum,
        shifted=float(shifted[target]) if valid else float("nan"),
        total=1.0 + rest,
        log_total=log_total,
        probability=float(np.exp(-loss)),
        loss=float(loss),
        weight=weight,
        weighted=float(counted),
        divisor=divisor,
        contribution=float(contribution),
        share=float(contribution / number) if number and weight else 0.0,
        rank=int(np.count_nonzero(z > z[target])) + 1 if valid else 0,
        entropy=entropy,
        gradient_norm=_norm(gradients),
        classes=tuple(
            ClassStep(
                class_id=v,
                token=tokens.get(v, str(v)),
                logit=float(z[v]),
                shifted=float(shifted[v]),
                exponential=float(exponential[v]),
                probability=float(probabilities[v]),
                gradient=float(gradients[v]),
                is_target=v == target,
            )
            for v in listed
        ),
        note=_note(target, len(z), valid=valid, impossible=impossible, finite=bool(np.isfinite(z).all())),
        group=group,
        own=own,
        sigmoid=float(z[1]) if binary and valid and len(z) == 2 else None,
    )


def _norm(gradients: np.ndarray) -> float:
    # Squares of less than 1e-162 would be 0.
    largest = float(np.abs(gradients).max())
    return largest * float(np.linalg.norm(gradients / largest)) if 0 < largest < np.inf else largest


def _note(target: int, classes: int, *, valid: bool, impossible: bool, finite: bool) -> str:
    if not valid:
        return f"The target {target} is not a class from 0 to {classes - 1}, so this timestep has no loss."
    if impossible:
        return "The length of this sequence is impossible, so it is unknown whether this timestep counts."
    return "" if finite else "Some logits of this timestep are NaN or ±inf."
