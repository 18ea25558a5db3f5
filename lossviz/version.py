"""The version of lossviz: what a recorded run, a script and a report of the command name."""

__all__ = ["__version__"]

__version__ = "0.1.0"
