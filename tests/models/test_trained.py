"""The trained models that come with lossviz: each name and stage loads, and reads typed texts."""

import re
from pathlib import Path

import numpy as np
import pytest

import lossviz
from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.models.trained import STAGES, TRAINED, Trained, load_trained
from lossviz.samples import load_sample

MODELS = Path(lossviz.__file__).parents[1] / "sample_data" / "models"


def test_trained_models_are_named_once_and_every_file_belongs_to_one() -> None:
    assert len({trained.name for trained in TRAINED}) == len(TRAINED)
    listed = {trained.path(stage).name for trained in TRAINED for stage in STAGES if stage != "untrained"}
    assert {path.name for path in MODELS.iterdir()} == listed


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("trained", TRAINED, ids=lambda trained: trained.name)
def test_trained_model_loads_at_every_stage(trained: Trained, stage: str) -> None:
    assert type(load_trained(trained.name, stage)) is trained.kind


def test_trained_files_stay_below_700_kilobytes() -> None:
    assert max(path.stat().st_size for path in MODELS.iterdir()) <= 700_000


@pytest.mark.parametrize("stage", STAGES)
def test_language_model_sample_is_what_the_shipped_weights_give(stage: str) -> None:
    batch = Batch.from_arrays(**load_sample(f"language-model-{stage}"))
    texts = ["".join(batch.token(int(token)).replace("␣", " ") for token in row if token > 3) for row in batch.targets]
    again = load_trained("language-model", stage).record(texts)
    assert np.array_equal(again.targets, batch.targets)
    np.testing.assert_allclose(again.logits, batch.logits, rtol=1e-4, atol=1e-4)


def test_language_model_samples_show_what_their_lessons_say() -> None:
    """A letter after no letter costs 2.9 nats, one after a letter 1.9; after 110 steps a space and “e” cost least."""
    losses, batch = losses_of("trained")
    letters = np.vectorize(lambda token: token.isalpha() and len(token) == 1)
    says, reads = (letters(np.vectorize(batch.token)(ids)) for ids in (batch.targets, np.asarray(batch.inputs)))
    assert [round(float(losses[says & mask].mean()), 1) for mask in (~reads, reads)] == [2.9, 1.9]
    losses, batch = losses_of("half-trained")
    words = np.vectorize(batch.token)(batch.targets)
    means = {token: losses[words == token].mean() for token in set(words[batch.targets > 0].tolist())}
    assert sorted(means, key=means.__getitem__)[:2] == ["␣", "e"]
    losses, _ = losses_of("untrained")
    np.testing.assert_allclose(losses, np.log(99), atol=0.05)


def losses_of(stage: str) -> tuple[np.ndarray, Batch]:
    batch = Batch.from_arrays(**load_sample(f"language-model-{stage}"))
    x = np.asarray(batch.logits, np.float64)
    chosen = np.take_along_axis(x, batch.targets[..., None], axis=-1)[..., 0]
    return np.log(np.exp(x).sum(axis=-1)) - chosen, batch


@pytest.mark.parametrize(
    ("name", "stage", "message"),
    [
        ("languagemodel", "trained", "`name` must be one of "),
        (TRAINED[0].name, "half", "`stage` must be one of 'untrained', 'half-trained', 'trained'; got 'half'."),
    ],
)
def test_load_trained_names_what_there_is(name: str, stage: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        load_trained(name, stage)
