"""A page with one plot of the stand-in figure, as its address says: ?rows=8&columns=16&b=40&t=100.

`step` moves the first timestep with every revision; `text` begins every hover text.
"""

import streamlit as st

from lossviz.ui.shared.plot import plot
from tests.browser.standin import figure

st.set_page_config(layout="wide")
query = st.query_params
rows, columns = int(query.get("rows", 8)), int(query.get("columns", 16))
rev = st.slider("Revision", 0, 1000, 0, key="rev")
first = (int(query.get("b", 0)), int(query.get("t", 0)) + rev * int(query.get("step", 0)))
if st.button("Select 1, 2"):
    st.session_state["cell"] = (1, 2)
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
picture = figure(rows, columns, rev, first=first, text=query.get("text", ""))
st.session_state["cell"] = plot(
    picture, key="grid", cell=st.session_state.get("cell"), label="Loss of the stand-in", height=480
)
with st.container(key="answer"):
    st.text(f"cell {st.session_state['cell']} in run {st.session_state['runs']}")
