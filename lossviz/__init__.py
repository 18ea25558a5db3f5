"""lossviz: which timesteps make up a sequence loss, and what it was divided by.

    Batch      what you gave: logits, targets, lengths or weights
    Analysis   every number, computed once, from `analyze(batch)`

>>> import numpy as np
>>> from lossviz import Batch, analyze
>>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 3], [1, 0, 0]], lengths=[3, 1])
>>> analysis = analyze(batch)
>>> round(float(analysis.value), 4), float(analysis.divisor)  # ln 4, over the 4 timesteps that count
(1.3863, 4.0)

`import lossviz` is instant: each name is loaded when it is first used, and TensorFlow only when something is computed.
The core installation is NumPy and PyArrow: batches and files. What needs more says `pip install 'lossviz[app]'`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lossviz.version import __version__ as __version__

if TYPE_CHECKING:
    from lossviz.analysis import Analysis, analyze
    from lossviz.batch import Batch
    from lossviz.conventions import compare_conventions
    from lossviz.edits import Edit, apply_edits
    from lossviz.engine import sequence_loss, sequence_mask, sigmoid_loss, softmax_loss
    from lossviz.errors import LossvizError
    from lossviz.figures import equation
    from lossviz.formats import read, write
    from lossviz.identification import Match, identify
    from lossviz.layouts import load
    from lossviz.recording import Recorder
    from lossviz.recording.huggingface import HuggingFaceRecorder
    from lossviz.recording.keras import KerasRecorder
    from lossviz.recording.lightning import LightningRecorder
    from lossviz.recording.pytorch import record_pytorch
    from lossviz.rules import Finding, diagnose
    from lossviz.settings import Settings

__all__ = [
    "Analysis",
    "Batch",
    "Edit",
    "Finding",
    "HuggingFaceRecorder",
    "KerasRecorder",
    "LightningRecorder",
    "LossvizError",
    "Match",
    "Recorder",
    "Settings",
    "analyze",
    "apply_edits",
    "compare_conventions",
    "diagnose",
    "equation",
    "identify",
    "load",
    "read",
    "record_pytorch",
    "sequence_loss",
    "sequence_mask",
    "sigmoid_loss",
    "softmax_loss",
    "write",
]

_ROOMS = {
    "Analysis": "analysis",
    "Batch": "batch",
    "Edit": "edits",
    "Finding": "rules",
    "HuggingFaceRecorder": "recording.huggingface",
    "KerasRecorder": "recording.keras",
    "LightningRecorder": "recording.lightning",
    "LossvizError": "errors",
    "Match": "identification",
    "Recorder": "recording",
    "Settings": "settings",
    "analyze": "analysis",
    "apply_edits": "edits",
    "compare_conventions": "conventions",
    "diagnose": "rules",
    "equation": "figures",
    "identify": "identification",
    "load": "layouts",
    "read": "formats",
    "record_pytorch": "recording.pytorch",
    "sequence_loss": "engine",
    "sequence_mask": "engine",
    "sigmoid_loss": "engine",
    "softmax_loss": "engine",
    "write": "formats",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'lossviz' has no attribute {name!r}")
    return getattr(import_module(f"lossviz.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
