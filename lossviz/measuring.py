"""What the engine says of a batch: every timestep's loss, and the losses that it would have if something were wrong."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import SettingsError
from lossviz.settings import Settings

if TYPE_CHECKING:
    from lossviz.engine import Alternatives, Timesteps

__all__ = ["alternatives_of", "measure", "scores", "usual_settings"]

Array = np.ndarray
Progress = Callable[[int, int], None]
_known: "WeakKeyDictionary[Timesteps, Alternatives]" = WeakKeyDictionary()


def usual_settings(batch: Batch, mask: str | None = None) -> Settings:
    """The settings under which a batch makes sense where nobody chose a reduction: one logit a timestep is a sigmoid's.

    >>> usual_settings(Batch.from_arrays(logits=[[[3.0]]], targets=[[1]])).reduction
    'classification'
    """
    return Settings(mask=mask, reduction="classification" if batch.shape[2] == 1 else "mean")


def scores(batch: Batch, settings: Settings) -> Array:
    """The logits that a softmax is taken of, [B, T, V]; a sigmoid's are [B, T, 2].

    >>> batch = Batch.from_arrays(logits=[[[3.0]]], targets=[[1]])
    >>> scores(batch, Settings(reduction="classification")).tolist()  # sigmoid(z) is the softmax of (0, z)
    [[[0.0, 3.0]]]
    """
    if not settings.is_classifier:
        return batch.logits
    return np.concatenate([np.zeros_like(batch.logits), batch.logits], axis=2)


def measure(batch: Batch, settings: Settings, progress: Progress | None = None) -> "Timesteps":
    """Every timestep's loss, probability, entropy and rank.

    Raises:
        SettingsError: if the reduction is a classifier's and there is more than one logit.
    """
    from lossviz.engine import per_timestep

    if settings.is_classifier and batch.shape[2] != 1:
        raise SettingsError(
            "`reduction='classification'` needs one sigmoid logit per timestep, `logits` of shape (B, T, 1); "
            f"got {batch.shape}. For {batch.shape[2]} classes choose 'mean', 'language_model' or 'encoder_decoder'."
        )
    return per_timestep(scores(batch, settings), batch.targets, progress=progress)


def alternatives_of(batch: Batch, settings: Settings, timesteps: "Timesteps") -> "Alternatives":
    """What else the logits give, for label smoothing, z-loss and the bugs; computed once for the same `timesteps`."""
    from lossviz.engine import alternative_losses

    if timesteps not in _known:
        _known[timesteps] = alternative_losses(scores(batch, settings), batch.targets)
    return _known[timesteps]
