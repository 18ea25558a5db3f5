"""Which run the page is about, and how a step of it comes on the screen."""

import streamlit as st

from lossviz.runs import Run
from lossviz.ui.session.link_checks import Links, is_text
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.selectbox import select
from lossviz.ui.sources.step_picker import STEP, nearest_place

__all__ = ["LINKED", "RUN", "choose_run", "go_to_step", "nearest_place", "step_on_screen"]

RUN = "runs_run"
LINKED: Links = {RUN: is_text}
EMPTY = """No recorded run is open. Add one line to a training script, and open what it recorded:

```python
with lossviz.record_pytorch("run/", every=100):
    train()
```

```console
lossviz app run/
```

`docs/recording.md` has a script for PyTorch, Hugging Face, TRL, Keras, Lightning, JAX and plain arrays."""


def choose_run(state: State) -> Run | None:
    """The run of the page: the only one, or a choice; None, and what to do, where none is open."""
    if not state.runs:
        st.info(EMPTY)
        return None
    names = list(state.runs)
    if len(names) == 1:
        return state.runs[names[0]]
    if read_widget(RUN) not in names:
        write_widget(RUN, names[0])
    name = select(state, RUN, "Run", {name: name for name in names}, about="A recorded run that is open.")
    return state.runs[name]


def step_on_screen(run: Run) -> int:
    """The step of the run that is chosen: the one that the other pages show, else the last."""
    chosen = read_widget(STEP)
    steps = run.step_numbers
    return int(chosen) if chosen is not None and int(chosen) in steps else steps[-1]


def go_to_step(state: State, run: Run, step: int) -> None:
    """Put a step's batch on all pages; the sidebar is drawn before the page, so the page is drawn again."""
    state.wanted = next(name for name, one in state.runs.items() if one is run)
    write_widget(STEP, str(step))
    st.rerun()
