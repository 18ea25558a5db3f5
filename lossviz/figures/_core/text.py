"""Text that Plotly draws: tokens escaped, made visible and cut to fit."""

import html
import unicodedata
from functools import lru_cache

from lossviz.digits import compact, number

__all__ = ["compact", "ellipsis", "number", "plotly_text", "text_width", "visible", "with_id"]

HOVER_LIMIT = 80
_NAMED = {"": "⟨empty⟩", " ": "␣", "\n": "↵", "\t": "→", "\x7f": "␡"}
_WIDTHS = {
    character: em
    for em, group in ((0.23, "ijl'|"), (0.29, " .,:;!ftI/\\"), (0.34, 'r()[]{}-`"'), (0.5, "cksvxyzJ"))
    for character in group
} | dict.fromkeys("mMW@%—…", 0.95)


def visible(token: str) -> str:
    r"""The token with whitespace, control, zero-width and direction characters drawn as symbols.

    >>> visible("a b\n"), visible("x\u202ey"), visible("")
    ('a␣b↵', 'x⟨U+202E⟩y', '⟨empty⟩')
    """
    if token.isascii() and token.isalnum():
        return token
    shown = "".join(_symbol(character) for character in token) if token else _NAMED[""]
    if shown and unicodedata.category(shown[0]) in ("Mn", "Me", "Mc"):
        shown = "◌" + shown
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in shown):
        # Isolated, so that a right-to-left token does not reorder the number beside it.
        return f"\u2068{shown}\u2069"
    return shown


def plotly_text(token: str, limit: int = HOVER_LIMIT) -> str:
    """The token, visible, at most `limit` characters, as text that Plotly draws literally.

    Plotly reads `<b>`, `<a>` and entities in every text, and `$…$` where MathJax is loaded; Streamlit replaces colours
    like `#000032` anywhere in a figure.

    >>> plotly_text("<b>&lt;#000032"), plotly_text("abcdef", limit=4)
    ('&lt;b&gt;&amp;lt;&#35;000032', 'abc…')
    """
    return _escape(visible(token if len(token) <= limit else token[: limit - 1] + "…"))


def with_id(shown: str, class_id: int) -> str:
    """A token that is drawn with its class id; the id alone where there is no word for it.

    >>> with_id("the", 4), with_id("4", 4)
    ('the (4)', '4')
    """
    return shown if shown == str(class_id) else f"{shown} ({class_id})"


def ellipsis(token: str, width: float, size: float = 12) -> str:
    """The token as Plotly text, cut with … so that it is at most `width` pixels wide at a font size.

    >>> ellipsis("immediately", 40), ellipsis("and", 40), ellipsis("immediately", 4)
    ('imm…', 'and', '')
    """
    shown = visible(token if len(token) <= HOVER_LIMIT else token[:HOVER_LIMIT])
    if len(token) <= HOVER_LIMIT and text_width(shown, size) <= width:
        return _escape(shown)
    if "\u2068" in shown:
        return _escape("\u2068" + _cut(shown[1:-1], width, size) + "\u2069")
    return _escape(_cut(shown, width, size))


@lru_cache(maxsize=65536)
def text_width(text: str, size: float = 12) -> float:
    """How wide a text is, in pixels, from a table of average glyph widths (Arial's, rounded up).

    >>> text_width("il", 10) < text_width("ab", 10) < text_width("語彙", 10)
    True
    """
    return size * sum(_em(character) for character in text)


def _escape(shown: str) -> str:
    return html.escape(shown, quote=False).replace("#", "&#35;").replace("$", "&#36;")


@lru_cache(maxsize=4096)
def _symbol(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character < " ":
        return chr(0x2400 + ord(character))
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
    return f"⟨U+{ord(character):04X}⟩" if hidden else character


@lru_cache(maxsize=4096)
def _em(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.05
    wide = character.isupper() or character == "w" or not character.isascii()
    return _WIDTHS.get(character, 0.72 if wide else 0.56)


def _cut(shown: str, width: float, size: float) -> str:
    room = width - text_width("…", size)
    kept = 0
    for character in shown:
        room -= size * _em(character)
        if room < 0:
            break
        kept += 1
    return shown[:kept].rstrip("…") + "…" if kept else ""
