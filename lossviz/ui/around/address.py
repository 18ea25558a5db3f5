"""The address as a link to copy, and the way back to how the app began."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["address_buttons"]

_HERE = Path(__file__).parent
_HTML = """
<div class="address">
  <button type="button">Copy link</button>
  <button type="button" title="Every choice, edit and typed text goes.">Reset everything</button>
  <div role="status" aria-live="polite"></div>
</div>
"""


def address_buttons() -> None:
    """Draw both buttons. Also keeps one entry per page in the browser's history, not one for each choice."""
    _component()(key="address")


@cache
def _component() -> Any:
    code, css = ((_HERE / name).read_text("utf-8") for name in ("address.js", "address.css"))
    return st.components.v2.component("lossviz.address", html=_HTML, css=css, js=code)
