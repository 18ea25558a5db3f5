"""lossviz in the browser: `streamlit run app.py`, or `make app`."""

import streamlit as st

from lossviz.ui.server import MIDDLEWARE, opening

app = st.App("lossviz/cli/_start.py", middleware=MIDDLEWARE, lifespan=opening)
