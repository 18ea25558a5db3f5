"""The app as it is, whose server forgets a closed tab after a second instead of two minutes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from lossviz.ui import server

PAGES = Path(__file__).parents[3] / "lossviz" / "cli" / "_start.py"
server.FORGET_EVERY = 0.5


@asynccontextmanager
async def forgetting(one: st.App) -> AsyncIterator[None]:
    """Open as the app does, with less patience."""
    get_instance()._session_mgr._session_storage = MemorySessionStorage(ttl_seconds=1)  # type: ignore[attr-defined]
    async with server.opening(one):
        yield


app = st.App(PAGES, middleware=server.MIDDLEWARE, lifespan=forgetting)
