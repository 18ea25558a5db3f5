"""Headings and relations that Streamlit's pages have not, for people who can't see them."""

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["heading", "semantics"]

_HERE = Path(__file__).parent


def heading(title: str, question: str) -> None:
    """Name the page for screen readers: its first heading, which the navigation shows to everybody else."""
    with st.container(key="page_heading"):
        st.html(f"<h1>{escape(title)}: {escape(question)}</h1>")


def semantics() -> None:
    """Tie every number to its label, and keep the focus where a button goes away. Draws nothing."""
    _component()(key="semantics")


@cache
def _component() -> Any:
    code = (_HERE / "semantics.js").read_text("utf-8")
    return st.components.v2.component("lossviz.semantics", html="<span></span>", js=code)
