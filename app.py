"""lossviz in the browser: `streamlit run app.py`, or `make app`."""

from lossviz.ui.frame import run

run()
