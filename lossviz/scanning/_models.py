"""MODEL: a Keras model in a file, or a Python function `module:function`; what turns inputs [B, T] into logits."""

import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.errors import InputError, LossvizError, first_line
from lossviz.scanning._items import stamp

__all__ = ["check_model", "identity_of", "logits_of"]

Array = np.ndarray
Model = Callable[[Array], Any]


def identity_of(model: str, folder: str) -> str:
    """A model's name, and the size and time of its file, so that another model is not taken for it.

    Args:
        model: a path, or "module:function".
        folder: where the module is looked for first.
    """
    if _is_file(model):
        return f"{Path(model).resolve()}: {stamp(Path(model))}"
    _look_in(folder)
    spec = find_spec(model.partition(":")[0])
    return f"{model}: {stamp(Path(str(spec.origin)))}" if spec is not None and spec.origin else model


def check_model(model: str, folder: str) -> None:
    """Refuse what is no model before any file is read.

    Raises:
        InputError: says what it must be.

    >>> check_model("model.h5", ".")
    Traceback (most recent call last):
    lossviz.errors.InputError: `model` must be a `.keras` file or `module:function`; got 'model.h5'.
    """
    if _is_file(model):
        if not Path(model).is_file():
            raise InputError(f"There is no model `{model}`.")
        return
    module, colon, function = model.partition(":")
    if not (colon and module and function.isidentifier()):
        raise InputError(f"`model` must be a `.keras` file or `module:function`; got {model!r}.")
    _function(model, folder)


def logits_of(model: str, folder: str, inputs: Array) -> Any:
    """What a model says of inputs: logits [B, T, V] of any library.

    Raises:
        InputError: if it can't be loaded, fails, or gives another shape.
    """
    known = stamp(Path(model)) if _is_file(model) else folder
    try:
        logits = _loaded(model, known)(inputs)
    except LossvizError:
        raise
    except Exception as error:
        raise InputError(
            f"`{model}` raised {type(error).__name__} on inputs {inputs.shape}: {first_line(error)}"
        ) from error
    shape = tuple(getattr(logits, "shape", ()))
    if len(shape) != 3 or shape[:2] != inputs.shape:
        raise InputError(f"`{model}` must give logits [B, T, V]; inputs {inputs.shape} gave {shape or type(logits)}.")
    return logits


@lru_cache(maxsize=1)
def _loaded(model: str, known: str) -> Model:
    """The model, loaded once in a process; `known` is its file's stamp, or the folder of its module."""
    return _keras(model) if _is_file(model) else _function(model, known)


def _function(model: str, folder: str) -> Model:
    module, _, name = model.partition(":")
    _look_in(folder)
    try:
        function = getattr(import_module(module), name, None)
    except Exception as error:
        raise InputError(f"`{module}` can't be imported: {type(error).__name__}: {first_line(error)}") from error
    if not callable(function):
        raise InputError(f"`{module}` has no function `{name}`.")
    found: Model = function
    return found


def _keras(path: str) -> Model:
    """A saved model, without running code from its file; the models of lossviz are known to Keras by name."""
    import_module("lossviz.models")
    keras: Any = import_module("keras")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise InputError(f"`{path}` can't be loaded as a Keras model: {first_line(error)}") from error
    return lambda inputs: _as_logits(np.asarray(model.predict_on_batch(inputs)))


def _as_logits(scores: Array) -> Array:
    """Logits as they are; probabilities, as a last layer with a softmax gives them, by their logarithms.

    >>> _as_logits(np.array([[[0.5, 0.5]]])).round(4).tolist()
    [[[-0.6931, -0.6931]]]
    """
    if scores.ndim != 3 or scores.shape[2] < 2 or scores.min(initial=0.0) < 0:
        return scores
    if not np.allclose(scores.sum(axis=2), 1, atol=1e-3):
        return scores
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(scores))


def _is_file(model: str) -> bool:
    return model.endswith(".keras")


def _look_in(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)
