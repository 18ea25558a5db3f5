"""Models as files: Keras' own format, the same bytes for the same model, read without running code."""

import io
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any, Self

import keras

from lossviz.errors import FormatError, InputError

__all__ = ["Saved", "load_model", "save_model"]

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date of the zip format
METADATA = "metadata.json"  # Keras writes its version and the time here


class Saved:
    """A Keras model that is saved as one file."""

    def save(self, path: str | Path) -> None:
        """Write sizes, tokens and weights as one `.keras` file.

        Raises:
            InputError: if the path does not end in ".keras".
        """
        save_model(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; nothing in the file is run as code.

        Raises:
            FormatError: if the file holds no such model.
        """
        model: Self = load_model(cls, path)
        return model


def save_model(model: Any, path: str | Path) -> None:
    """Write a model as one `.keras` file: its sizes, its vocabulary, its weights; no date.

    Raises:
        InputError: if the path does not end in ".keras".
    """
    if Path(path).suffix != ".keras":
        raise InputError(f"`path` must end in '.keras', the format of Keras; got '{path}'.")
    with tempfile.TemporaryDirectory() as folder:
        dated = Path(folder) / "model.keras"
        with warnings.catch_warnings():  # NumPy's, about how Keras hands it a variable
            warnings.simplefilter("ignore", DeprecationWarning)
            keras.saving.save_model(model, dated)  # model.save would call this again
        Path(path).write_bytes(_without_dates(dated))


def load_model(kind: type, path: str | Path) -> Any:
    """Read a model that `save_model` wrote; nothing in the file is run as code.

    Raises:
        FormatError: if the file holds no such model.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(f"'{path}' can't be read as a Keras model: {error}") from error
    if not isinstance(model, kind):
        raise FormatError(f"'{path}' holds a {type(model).__name__}; expected a {kind.__name__}.")
    return model


def _without_dates(path: Path) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(path) as dated, zipfile.ZipFile(written, "w") as plain:
        for name in sorted(dated.namelist()):
            content = dated.read(name)
            if name == METADATA:
                content = f'{{"keras_version": "{keras.__version__}"}}'.encode()
            plain.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()
