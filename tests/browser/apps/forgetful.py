"""The app as it is, whose server forgets a closed tab after a second instead of two minutes."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from lossviz.ui import server

MemorySessionStorage.__init__.__defaults__ = (128, 1)
server.FORGET_EVERY = 0.5
PAGES = Path(__file__).parents[3] / "lossviz" / "cli" / "_start.py"
app = st.App(PAGES, middleware=server.MIDDLEWARE, lifespan=server.opening)
