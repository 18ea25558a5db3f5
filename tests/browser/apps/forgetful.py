"""`lossviz app` at the port that it is given; its server forgets a closed tab after a second, not two minutes."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

from lossviz.cli import _app, main

COMMAND: Any = _app
_import = COMMAND.import_module


def impatient(name: str) -> ModuleType:
    """Import the server when the command does, so that it starts as the command's does."""
    module: Any = _import(name)
    opening, module.FORGET_EVERY = module.opening, 0.5

    @asynccontextmanager
    async def forgetting(one: Any) -> AsyncIterator[None]:
        from streamlit.runtime import get_instance
        from streamlit.runtime.memory_session_storage import MemorySessionStorage

        get_instance()._session_mgr._session_storage = MemorySessionStorage(ttl_seconds=1)  # type: ignore[attr-defined]
        async with opening(one):
            yield

    module.opening = forgetting
    return module


if __name__ == "__main__":
    COMMAND.import_module = impatient
    sys.exit(main(["app", "--no-browser", "--port", sys.argv[1]]))
