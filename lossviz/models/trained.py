"""The models that come with lossviz, each at several stages of training, to read typed sentences."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossviz.errors import InputError, not_one_of
from lossviz.models._saving import load_model
from lossviz.models._training import set_seed
from lossviz.models.classification_model import ClassificationModel
from lossviz.models.language_model import LanguageModel
from lossviz.models.seq2seq_model import Seq2SeqModel
from lossviz.samples import sample_folder

__all__ = ["STAGES", "TRAINED", "Trained", "load_trained"]

STAGES = ("untrained", "half-trained", "trained")
SEED = 1865


@dataclass(frozen=True)
class Trained:
    """A model whose weights are shipped.

    Attributes:
        name: what `load_trained` calls it.
        title: what screens call it.
        kind: its class.
    """

    name: str
    title: str
    kind: type

    def path(self, stage: str) -> Path:
        """Its file in `sample_data/models/`; there is none for "untrained", which is made from the seed.

        >>> TRAINED[0].path("trained").name
        'language-model-trained.keras'
        """
        return sample_folder() / "models" / f"{self.name}-{stage}.keras"


TRAINED: tuple[Trained, ...] = (
    Trained("language-model", "Language model", LanguageModel),
    Trained("dates", "Encoder-decoder", Seq2SeqModel),
    Trained("reviews", "Text classifier", ClassificationModel),
)


def load_trained(name: str, stage: str = "trained") -> Any:
    """A model that comes with lossviz: its `record` takes typed texts.

    Args:
        name: one of the names of `TRAINED`.
        stage: one of `STAGES`.

    Raises:
        InputError: if there is no such model or stage.

    >>> load_trained("language-model").record(["Why not?"]).shape  # the start and 8 characters
    (1, 9, 99)
    """
    by_name = {trained.name: trained for trained in TRAINED}
    if name not in by_name:
        raise InputError(not_one_of("name", name, by_name))
    if stage not in STAGES:
        raise InputError(not_one_of("stage", stage, STAGES))
    trained = by_name[name]
    if stage != "untrained":
        return load_model(trained.kind, trained.path(stage))
    config = load_model(trained.kind, trained.path("trained")).get_config()
    set_seed(SEED)
    return trained.kind(**config)
