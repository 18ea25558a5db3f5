"""Small pieces that several panels use."""

import re
from collections.abc import Callable

import streamlit as st

__all__ = ["KINDS", "escaped", "literal", "say"]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!:$~|<>&])")
_CODE = re.compile(r"""`(~|->|(?:-> )?[A-Za-z_][\w.()\[\]{}=:'", -]*)`""")
KINDS: dict[str, Callable[[str], object]] = {
    "error": st.error,
    "warning": st.warning,
    "info": st.info,
    "caption": st.caption,
}


def escaped(text: str) -> str:
    r"""Text that Markdown shows sign by sign, for what users wrote.

    >>> print(escaped("`a`"))
    \`a\`
    """
    return _MARKDOWN.sub(r"\\\1", text)


def literal(text: str) -> str:
    r"""Text that Markdown shows as it is: no formatting, no links, no images; `names` in backticks stay code.

    >>> print(literal("![x](http://a)"))
    \!\[x\]\(http\://a\)
    """
    pieces = _CODE.split(text)
    return "".join(f"`{piece}`" if i % 2 else escaped(piece) for i, piece in enumerate(pieces))


def say(kind: str, text: str) -> None:
    """Show a sentence that may quote what the user typed; `kind` is one of `KINDS`."""
    KINDS[kind](literal(text))
