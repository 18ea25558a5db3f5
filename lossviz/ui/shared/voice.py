"""One line of text that a screen reader says when it changes, and that everybody sees."""

from functools import cache
from typing import Any

import streamlit as st

__all__ = ["voice"]

_JS = """
export default function ({ data, parentElement }) {
  const line = parentElement.querySelector(".lossviz-voice");
  line.setAttribute("aria-live", data.quiet ? "off" : "polite");
  if (line.textContent !== data.text) line.textContent = data.text;
}
"""


def voice(text: str, *, quiet: bool = False) -> None:
    """Draw the line; a quiet one, which changes several times a second, is not said."""
    _component()(key="voice", data={"text": text, "quiet": quiet})


@cache
def _component() -> Any:
    html = '<div class="lossviz-voice" role="status" aria-live="polite"></div>'
    css = ".lossviz-voice { color: var(--st-text-color); font: 1rem var(--st-font); }"
    return st.components.v2.component("lossviz.voice", html=html, css=css, js=_JS)
