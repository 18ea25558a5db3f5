"""The JSON that the app downloads opens again."""

import numpy as np
import pytest

from lossviz import analyze, diagnose, load, tables
from lossviz.errors import InputError
from lossviz.layouts import interpret

RNG = np.random.default_rng(0)
FIELDS = {"logits": RNG.normal(0, 1, (3, 5, 7)), "targets": RNG.integers(0, 7, (3, 5)), "title": "mine"}


@pytest.mark.parametrize("broken", [False, True], ids=["finite", "NaN"])
def test_downloaded_numbers_open_as_the_same_batch(tmp_path, broken: bool) -> None:
    logits = np.array(FIELDS["logits"])
    logits[0, 4] = np.nan if broken else 0
    analysis = analyze(load({**FIELDS, "logits": logits, "lengths": np.array([4, 3, 5]), "loss": 1.5}))
    path = tmp_path / "numbers.json"
    path.write_bytes(tables.download(analysis, "json"))
    again = load(path)
    assert (again.shape, again.classes, again.title, again.reported) == ((3, 5, 7), 7, "mine", "1.5")
    assert float(analyze(again).value) == pytest.approx(float(analysis.value))
    np.testing.assert_allclose(again.losses, analysis.batch_loss)
    assert again.assumptions == ("the numbers of a batch that lossviz wrote, without its logits",)
    errors = [{f.code for f in diagnose(one).findings if f.severity == "error"} for one in (again, analysis.batch)]
    assert errors[0] == errors[1] == ({"NUM02"} if broken else set())
    assert (load(path, weights="none").weights is None, interpret({"timesteps": 3, **FIELDS}).layout) == (True, "plain")


def test_downloaded_numbers_that_are_damaged_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        load({"timesteps": {"targets": [[1, 2]], "batch_loss": [["a", 1]]}})
    assert str(caught.value) == (
        "`timesteps.batch_loss` must be rows of numbers [B, T], as lossviz writes them. Download it again."
    )
