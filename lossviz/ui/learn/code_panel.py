"""The code of a step in TensorFlow and PyTorch, side by side; the lines that it is about are marked."""

from collections.abc import Iterable
from html import escape

import streamlit as st

from lossviz.lessons import Step

__all__ = ["LIBRARIES", "code_html", "code_panel", "program_html"]

LIBRARIES = ("TensorFlow", "PyTorch")


def code_panel(step: Step) -> None:
    """Draw both programs."""
    with st.container(key="learn_code"):
        for place, library in zip(st.columns(2), LIBRARIES, strict=True):
            with place:
                st.markdown(f"**{library}**")
                st.html(code_html(step, library))


def code_html(step: Step, library: str) -> str:
    """A program with its marked lines, for `st.html`."""
    return program_html(step.program.lines(library), f"{library} code")


def program_html(lines: Iterable[tuple[str, bool]], label: str) -> str:
    """Lines of code, each marked or not, for `st.html`."""
    marked = (f"<mark>{escape(line)}</mark>" if marks else f"<span>{escape(line)}</span>" for line, marks in lines)
    return f'<pre class="learn-code" tabindex="0" aria-label="{escape(label)}"><code>{"".join(marked)}</code></pre>'
