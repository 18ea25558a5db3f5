"""Colours, marks and sizes: the one place where a figure's look is decided."""

from dataclasses import dataclass

import numpy as np

from lossviz.errors import InputError, not_one_of

__all__ = ["FLIP", "FONT", "MARKS", "THEMES", "Mark", "Theme", "luminance", "theme_named"]

FONT = "Source Sans, Source Sans Pro, Helvetica Neue, Arial, sans-serif"


@dataclass(frozen=True)
class Mark:
    """A state that no colour of the scale may stand for: its glyph in a cell, its words in the legend."""

    name: str
    code: int
    glyph: str
    words: str


# The code is the mark's value in the heatmap of marks; 0 is an ordinary cell.
MARKS = (
    Mark("pad", 1, "pad", "does not count"),
    Mark("nan", 2, "NaN", "not a number"),
    Mark("plus_inf", 3, "+∞", "infinite"),
    Mark("minus_inf", 4, "−∞", "infinite, negative"),
    Mark("invalid", 5, "✕", "label, length or weight makes no sense"),
    Mark("unrecorded", 6, "?", "not recorded"),
    Mark("ignored", 7, "−", "ignored label: it has no loss"),
)


@dataclass(frozen=True)
class Theme:
    """The colours of one theme.

    `scale` is one hue, even in CIELAB lightness, from the page's background to the far end; black or white reads on
    every part of it, and the change is at 60 % of it. `warm` is a second hue of the same lightness, for what is more
    where `scale` is less. `marks` are the cells of `MARKS`, in order, after Okabe and Ito.
    """

    name: str
    page: str
    text: str
    muted: str
    scale: tuple[str, ...]
    warm: tuple[str, ...]
    low_ink: str
    high_ink: str
    marks: tuple[str, ...]
    mark_ink: tuple[str, ...]
    hatch: str
    counts: str
    bar: str
    target: str
    outline: str
    highlight: str

    @property
    def colorscale(self) -> list[list[float | str]]:
        """The scale as Plotly writes it."""
        return _even(self.scale)

    @property
    def diverging(self) -> list[list[float | str]]:
        """From the far end of `scale` over the page's background to the far end of `warm`."""
        return _even((*self.scale[:0:-1], *self.warm))

    @property
    def turn(self) -> str:
        """The grey between the two hues, as light as both are where they meet."""
        linear = luminance(self.scale[5])
        channel = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
        return f"#{round(255 * channel):02x}" + 2 * f"{round(255 * channel):02x}"

    @property
    def pad(self) -> str:
        """The grey of what does not count."""
        return self.marks[0]


def _even(colours: tuple[str, ...]) -> list[list[float | str]]:
    return [[float(at), colour] for at, colour in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]


THEMES = {
    "light": Theme(
        name="light",
        page="#ffffff",
        text="#262730",
        muted="#5b616e",
        scale=("#ffffff", "#d7e2f0", "#aec5e4", "#85a9d9", "#578ecd", "#1c73bd", "#00589a", "#023f73", "#00274f"),
        warm=("#ffffff", "#ffdac3", "#f6b58c", "#e59360", "#d07237", "#b95107", "#943a00", "#6d2800", "#451a00"),
        low_ink="#000000",
        high_ink="#ffffff",
        marks=("#e9ebee", "#e69f00", "#e8743b", "#cc79a7", "#f0e442", "#66c2a5", "#d9dde3"),
        mark_ink=("#5b616e", "#000000", "#000000", "#000000", "#000000", "#000000", "#4a505c"),
        hatch="#b4bac3",
        counts="#76818f",
        bar="#2a6cb8",
        target="#d55e00",
        outline="#000000",
        highlight="#c2185b",
    ),
    "dark": Theme(
        name="dark",
        page="#0e1117",
        text="#fafafa",
        muted="#a3a8b4",
        scale=("#0e1117", "#172538", "#1c3a59", "#22517a", "#25699c", "#3781b8", "#509ad2", "#6eb4e9", "#90cdfc"),
        warm=("#0e1117", "#371e0f", "#562e13", "#764018", "#97531e", "#b76825", "#d77e2f", "#f39846", "#ffb77a"),
        low_ink="#ffffff",
        high_ink="#000000",
        marks=("#2b2f38", "#e69f00", "#e8743b", "#cc79a7", "#f0e442", "#66c2a5", "#3a3f4b"),
        mark_ink=("#b3b8c3", "#000000", "#000000", "#000000", "#000000", "#000000", "#c3c8d2"),
        hatch="#555b67",
        counts="#8b95a5",
        bar="#4f8fd6",
        target="#f08a3c",
        outline="#ffffff",
        highlight="#ff6fa5",
    ),
}
FLIP = 0.6


def theme_named(name: str) -> Theme:
    """The theme of that name.

    Raises:
        InputError: if there is none.

    >>> theme_named("dark").page
    '#0e1117'
    """
    if isinstance(name, str) and name in THEMES:
        return THEMES[name]
    raise InputError(not_one_of("theme", name, THEMES))


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1 (WCAG 2.2).

    >>> luminance("#ffffff"), luminance("#000000")
    (1.0, 0.0)
    """
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
