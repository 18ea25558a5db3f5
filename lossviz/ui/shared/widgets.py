"""Small pieces that several panels use."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.logger import get_logger

from lossviz.display_text import printable
from lossviz.errors import LossvizError

__all__ = ["BROKEN", "KINDS", "escaped", "kept_apart", "literal", "say"]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!:$~|<>&])")
_CODE = re.compile(r"""`(~|->|(?:-> )?[A-Za-z_][\w.()\[\]{}=:'", -]*)`""")
# What Streamlit turns into links, e-mail addresses, icons and emoji even where Markdown's characters are escaped.
_ALIVE = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[\w-]+\.)|(?<=:)(?=[\w+/-]+:)", re.IGNORECASE)
_JOINER = "\u2060"  # has no width, and joins what it parts
BROKEN = "can't be drawn"
KINDS: dict[str, Callable[[str], object]] = {
    "error": st.error,
    "warning": st.warning,
    "info": st.info,
    "caption": st.caption,
}


def escaped(text: str) -> str:
    r"""Text that Markdown shows character by character, for what users wrote.

    >>> print(escaped("`a`"))
    \`a\`
    """
    return _MARKDOWN.sub(r"\\\1", _ALIVE.sub(_JOINER, text))


def literal(text: str) -> str:
    r"""Text that Markdown shows as it is: no formatting, no links, no images; `names` in backticks stay code.

    >>> print(literal("![x](http://a)"))
    \!\[x\]\(http\:⁠//a\)
    """
    pieces = _CODE.split(text)
    return "".join(f"`{piece}`" if i % 2 else escaped(piece) for i, piece in enumerate(pieces))


def say(kind: str, text: str) -> None:
    """Show a sentence that may quote what the user typed; `kind` is one of `KINDS`."""
    KINDS[kind](literal(text))


@contextmanager
def kept_apart(what: str) -> Iterator[None]:
    """Draw one part of a page; where it can't be drawn, say so in its place, and let the rest of the page be drawn.

    Otherwise one strange number could take the picture away, and with it the button that takes the number back.
    """
    try:
        yield
    except LossvizError as error:
        say("error", str(error))
    except Exception as error:
        get_logger(__name__).exception("%s", what)
        reason = printable(f"{type(error).__name__}: {error}".splitlines()[0])
        say("error", f"{what} {BROKEN} ({reason}). This is a mistake in lossviz: please report it. Undo still works.")
