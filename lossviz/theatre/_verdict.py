"""Two questions that are not one: does the number lie, and is the model harmed?

Both are asked on the same held-out text after the same step, so that neither the noise of minibatches nor the distance
between training and held-out text is taken for a lie.
"""

from dataclasses import dataclass

__all__ = ["HARM_FROM", "LIE_FROM", "Verdict"]

LIE_FROM = 0.05
"""From what share of the truth on a printed number is called a lie."""
HARM_FROM = 0.1
"""From how many nats a timestep above the right run on a model is called harmed."""


@dataclass(frozen=True)
class Verdict:
    """What a wrong program printed, what is true of its model, and what is true of the right one.

    Attributes:
        printed: what the wrong program prints for the held-out text.
        true: the mean loss of its model on this text, in nats.
        right_true: the mean loss of the right one on this text, in nats.

    >>> verdict = Verdict(printed=0.547, true=2.451, right_true=0.608)
    >>> verdict.lies, verdict.harmed
    (True, True)
    >>> print(*verdict.sentences, sep=" · ")
    prints 0.547, truth 2.451 (−78 %) · model harmed: +1.84 nats against the right run
    """

    printed: float
    true: float
    right_true: float

    @property
    def lie(self) -> float:
        """By what share of the truth the printed number is off; negative where it is too low."""
        return self.printed / self.true - 1 if self.true else float("nan")

    @property
    def harm(self) -> float:
        """By how many nats a timestep the model is worse than the right one."""
        return self.true - self.right_true

    @property
    def lies(self) -> bool:
        """Whether the printed number is off by 5 % of the truth or more."""
        return abs(self.lie) >= LIE_FROM

    @property
    def harmed(self) -> bool:
        """Whether the model is worse by 0.1 nats a timestep or more."""
        return self.harm >= HARM_FROM

    @property
    def sentences(self) -> tuple[str, str]:
        """The verdict in words: of the number, of the model."""
        harm = f"model harmed: {_signed(self.harm, '.2f')} nats against the right run"
        return (
            f"prints {_number(self.printed)}, truth {self.true:.3f} ({_percent(self.lie)})",
            harm if self.harmed else "no visible harm",
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) < 0.01 else f"{value:.3f}"


def _percent(share: float) -> str:
    if abs(share) < 0.005:
        return "exact" if abs(share) < 1e-4 else "0 %"
    return f"× {share + 1:,.0f}" if share >= 9 else f"{_signed(100 * share, '.0f')} %"


def _signed(value: float, form: str) -> str:
    return f"{value:+{form}}".replace("-", "−")
