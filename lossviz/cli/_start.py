"""What Streamlit runs for `lossviz app`, like app.py of the checkout."""

from importlib import import_module

if __name__ == "__main__":
    # By name: the command starts the pages but is no part of them.
    import_module("lossviz.ui.frame").run()
