"""What Streamlit runs for every visitor, of `lossviz app` and of `streamlit run app.py`."""

from importlib import import_module

if __name__ == "__main__":
    # By name: the command starts the pages but is no part of them.
    import_module("lossviz.ui.frame").run()
