"""The text in the cells: tokens, values and glyphs of marks."""

from typing import Any

import numpy as np

from lossviz.figures._core.cells import CODE, Cells, glyph
from lossviz.figures._core.clipped import beyond, end_inks
from lossviz.figures._core.drawing import Drawing
from lossviz.figures._core.geometry import MOST_WORDS
from lossviz.figures._core.style import FLIP, MARKS
from lossviz.figures._core.text import ellipsis, plotly_text, text_width, visible
from lossviz.figures._core.traces import Axes, texts

__all__ = ["cell_words", "mask_words"]

Array = np.ndarray
Spec = dict[str, Any]
BOTH, TOKEN, MOST_GLYPHS = 62, 40, 600
SIZE, SMALL, LITTLE = 12, 10.5, 9
MOST_FIT = 2 / 3


def cell_words(drawing: Drawing, cells: Cells, axes: Axes) -> list[Spec]:
    """Tokens and values in the cells while they fit, and the glyph of every mark; one trace each."""
    words = _Words(drawing, cells, axes)
    return [*words.values(), *words.glyphs(), *words.clipped()]


def mask_words(drawing: Drawing, axes: Axes, cell: tuple[float, float]) -> list[Spec]:
    """The mask as numbers, 0 and 1 or the weights, where all of them fit into its cells."""
    window, theme = drawing.window, drawing.theme
    weights = window.of(drawing.analysis.weights)
    if weights.size > MOST_GLYPHS or cell[1] < 14:
        return []
    at = np.argwhere(drawing.odd == 0)
    text = [f"{weights[b, t]:.3g}" for b, t in at]
    if not text or max(text_width(words, SMALL) for words in text) > cell[0] - 2:
        return []
    shades = drawing.weights[at[:, 0], at[:, 1]]
    ink = [theme.mark_ink[0] if shade < 0.3 else theme.mark_ink[1] for shade in shades.tolist()]
    x, y = at[:, 1] + window.t0, at[:, 0] + window.row0
    return [texts("weights", x.astype(np.float32), y.astype(np.float32), text, ink, axes, SMALL)]


class _Words:
    """The words of one heatmap; `level` is how much fits in a cell: 2 token and value, 1 token, 0 nothing."""

    def __init__(self, drawing: Drawing, cells: Cells, axes: Axes) -> None:
        self.analysis, self.quantity, self.theme = drawing.analysis, drawing.quantity, drawing.theme
        self.window, self.cell, self.scale = drawing.window, drawing.place.cell, drawing.scale
        self.cells, self.axes = cells, axes
        self.is_classifier = self.analysis.is_classifier
        self.real = self.window.of(self.analysis.real_timesteps)
        self.under = self.analysis.batch.inputs if drawing.reads_under and cells is drawing.first else None
        few = max(self.window.shape) <= MOST_WORDS and self.cell[1] >= 15
        self.level = 2 if few and self.cell[0] >= BOTH else int(few and self.cell[0] >= TOKEN)
        if not self.level and self.cell[1] >= 15 and self.cells.codes.size <= MOST_GLYPHS:
            self.level = int(self._letters())

    def _letters(self) -> bool:
        """Whether most of the words that count fit into a narrow cell, as single letters do; the others are cut."""
        batch = self.analysis.batch
        if batch.vocabulary is None or self.is_classifier:
            return False
        targets = self.window.of(batch.targets)[self.real]
        fits = {v: text_width(batch.token(v)[:9], SIZE) <= self.cell[0] - 2 for v in np.unique(targets).tolist()}
        return sum(fits[v] for v in targets.tolist()) >= MOST_FIT * max(len(targets), 1)

    def values(self) -> list[Spec]:
        """Token and value of the cells that no mark covers."""
        at = np.argwhere(self.cells.codes == 0)
        if not self.level or not len(at):
            return []
        text = [self._word(b, t, self.quantity.form(float(self.cells.values[b, t]))) for b, t in at]
        return [self._texts("values", at, text, self._ink(at), SIZE)]

    def glyphs(self) -> list[Spec]:
        """Each mark's glyph, with the token where there is room."""
        specs = []
        for mark, ink in zip(MARKS, self.theme.mark_ink, strict=True):
            at = np.argwhere(self.cells.codes == mark.code)
            sign = glyph(self.analysis, mark)
            fits = text_width(sign, SMALL) <= self.cell[0] - 2 and self.cell[1] >= 11
            if not 0 < len(at) <= MOST_GLYPHS or not fits:
                continue
            plain = mark.code in (CODE["pad"], CODE["ignored"]) or self.level < 2
            text = [sign if plain else self._word(b, t, sign) for b, t in at]
            specs.append(self._texts(mark.name, at, text, ink, SMALL if plain else SIZE))
        return specs

    def clipped(self) -> list[Spec]:
        """A sign at the values that lie beyond the ends of the scale."""
        inks = end_inks(self.quantity, self.theme)
        return beyond(self.cells.clipped, self.window, self.axes, self.cell, inks, corner=bool(self.level))

    def _texts(self, name: str, at: Array, text: list[str], ink: Any, size: float) -> Spec:
        x, y = at[:, 1] + self.window.t0, at[:, 0] + self.window.row0
        return texts(name, x.astype(np.float32), y.astype(np.float32), text, ink, self.axes, size)

    def _word(self, b: int, t: int, value: str) -> str:
        under = self._under(b, t)
        if self.level == 1:
            return self._token(b, t, self.cell[0] - (5 if self.cell[0] >= TOKEN else 2)) + under
        token = self._token(b, t, self.cell[0] - text_width(value, SMALL) - 10)
        return f'{token} <span style="font-size:{SMALL}px">{value}</span>{under}'

    def _token(self, b: int, t: int, width: float) -> str:
        """The target's word; of a classifier, whose targets are labels, the word that it read."""
        batch = self.analysis.batch
        target, real = int(self.window.of(batch.targets)[b, t]), self.real[b, t]
        if self.is_classifier and batch.inputs is not None:
            word = batch.input_token(int(self.window.of(batch.inputs)[b, t]))
            return _fitted(word, width) if real else "·"
        padded = target == batch.pad_id and not real
        return "·" if padded else _fitted(str(target) if self.is_classifier else batch.token(target), width)

    def _under(self, b: int, t: int) -> str:
        """What the decoder read, in small, where it is shown."""
        if self.under is None or not self.real[b, t]:
            return ""
        read = self.analysis.batch.input_token(int(self.window.of(self.under)[b, t]))
        return f'<br><span style="font-size:{LITTLE}px">{ellipsis(read, self.cell[0] - 5, LITTLE)}</span>'

    def _ink(self, at: Array) -> list[str]:
        place = self.scale.place(self.cells.z[at[:, 0], at[:, 1]])
        far = (1 - place if self.quantity.best == "high" else place) >= FLIP
        return [self.theme.high_ink if dark else self.theme.low_ink for dark in far]


def _fitted(token: str, width: float) -> str:
    """The token cut to fit; one character stays, or a word of such cells would lose its wide letters.

    >>> _fitted("W", 8), _fitted("We", 8)
    ('W', '')
    """
    alone = len(visible(token).strip("\u2068\u2069")) == 1
    return plotly_text(token) if alone else ellipsis(token, width, SIZE)
