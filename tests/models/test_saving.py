"""Models as files: the same bytes for the same model, and nothing but models of lossviz is read."""

import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from lossviz.errors import FormatError, InputError
from lossviz.models import LanguageModel
from lossviz.models._saving import load_model, save_model

IDS = np.array([[4, 5, 0]])


def small_model(units: int = 3) -> LanguageModel:
    keras.utils.set_random_seed(2)
    return LanguageModel(6, 4, units, 1, tokens=["a", "b"])


def test_save_model_writes_the_same_bytes_again(tmp_path: Path) -> None:
    model = small_model()
    for name in ("one", "two"):
        save_model(model, tmp_path / f"{name}.keras")
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.keras") as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_load_model_gives_the_model_that_was_saved(tmp_path: Path) -> None:
    model = small_model()
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(LanguageModel, tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    assert np.array_equal(loaded(IDS), model(IDS))


def test_save_model_refuses_another_ending() -> None:
    with pytest.raises(InputError, match=r"^`path` must end in '\.keras', the format of Keras; got 'model\.h5'\.$"):
        save_model(small_model(), "model.h5")


def test_load_model_refuses_a_model_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "dense.keras"
    save_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), path)
    message = f"'{path}' holds a Sequential; expected a LanguageModel."
    with pytest.raises(FormatError, match=f"^{re.escape(message)}$"):
        load_model(LanguageModel, path)


def test_load_model_refuses_code(tmp_path: Path) -> None:
    """A Lambda layer is Python bytes in a file."""
    path = tmp_path / "lambda.keras"
    save_model(keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]), path)
    with pytest.raises(FormatError, match="^" + re.escape(f"'{path}' can't be read as a Keras model: ")):
        load_model(LanguageModel, path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_load_model_refuses_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.keras"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="^" + re.escape(f"'{path}' can't be read as a Keras model: ")):
        load_model(LanguageModel, path)


def test_load_model_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "absent.keras"
    with pytest.raises(FormatError, match="^" + re.escape(f"'{path}' can't be read as a Keras model: ")):
        load_model(LanguageModel, path)
