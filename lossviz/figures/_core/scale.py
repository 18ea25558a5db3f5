"""The colour scale of a heatmap: its ends, where a uniform guess lies on it, and how far along the ramp a value is."""

from dataclasses import dataclass

import numpy as np

from lossviz.figures._core.style import Theme

__all__ = ["BEYOND", "Scale"]

Array = np.ndarray
# Losses up to ln V + 5 nats: e⁻⁵ is a probability 148 times smaller than a uniform guess gives.
BEYOND = 5.0
# A uniform guess lies on this colour of the ramp; from there on, the ramp is of the second hue.
GUESS = 5
# One hue turns into the other over half a nat, so that an untrained model's losses, all about ln V, are one colour.
TURN = 0.5


@dataclass(frozen=True)
class Scale:
    """A colour scale from `low` to `high`; with `uniform`, anchored at the loss of a uniform guess.

    An anchored scale gives a loss the same colour in every batch with that many classes: from the page's colour at 0
    through the first hue up to ln V, and from there through the second hue. Most losses of a trained model lie far
    below ln V, so the first hue follows the square root: a quarter of ln V is halfway along it.

    >>> Scale(0.0, 7.0, uniform=2.0).place(np.array([0.0, 0.72, 2.0, 7.0])).tolist()
    [0.0, 0.375, 0.625, 1.0]
    """

    low: float
    high: float
    uniform: float | None = None

    def place(self, values: Array) -> Array:
        """How far along the ramp each value lies, 0 to 1, as plotly.js mixes its colours; NaN stays NaN."""
        ends = [step / 8 for step in range(9)]
        if self.uniform is None:
            return np.asarray(np.interp(values, [self.low, self.high], [0.0, 1.0]))
        below, beyond = self._below(), self._beyond()
        return np.asarray(np.interp(values, [*below, *beyond], ends[: len(below)] + ends[GUESS:][: len(beyond)]))

    def clipped(self, z: Array) -> Array:
        """1 where a float32 value lies above the scale, −1 below it, else 0."""
        with np.errstate(invalid="ignore"):
            above, below = z > np.float32(self.high), z < np.float32(self.low)
        return above.astype(np.int8) - below.astype(np.int8)

    def colours(self, theme: Theme) -> list[list[float | str]]:
        """The scale as Plotly writes it."""
        if self.uniform is None:
            return theme.colorscale
        below, beyond = self._below(), self._beyond()
        stops = [*zip(below, theme.scale[: GUESS + 1], strict=True)]
        if beyond:
            # Two hues of one lightness mix to something darker; through a grey of that lightness, words stay readable.
            stops.append(((below[-1] + beyond[0]) / 2, theme.turn))
            stops += zip(beyond, theme.warm[GUESS:], strict=True)
        return [[at / self.high, colour] for at, colour in stops]

    def _below(self) -> list[float]:
        """The values of the first hue's colours, up to a uniform guess."""
        return [float(self.uniform or 0.0) * (step / GUESS) ** 2 for step in range(GUESS + 1)]

    def _beyond(self) -> list[float]:
        """The values of the second hue's colours; none where the scale ends at a uniform guess."""
        first = float(self.uniform or 0.0) + TURN
        return np.linspace(first, self.high, 9 - GUESS).tolist() if self.high > first else []

    def last(self, theme: Theme) -> str:
        """The colour of its upper end."""
        return str(self.colours(theme)[-1][1])
