"""What the engine says of a batch: every timestep's loss, and the losses that it would have if something were wrong."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from lossviz.batch import RECORDED, Batch
from lossviz.errors import NoLogitsError, SettingsError
from lossviz.settings import Settings
from lossviz.timesteps import Timesteps, recorded_timesteps

if TYPE_CHECKING:
    from lossviz.engine import Alternatives

__all__ = ["alternatives_of", "measure", "scores", "usual_settings"]

Array = np.ndarray
Progress = Callable[[int, int], None]
_known: "WeakKeyDictionary[Timesteps, Alternatives]" = WeakKeyDictionary()


def usual_settings(batch: Batch, mask: str | None = None) -> Settings:
    """The settings under which a batch makes sense where nobody chose a reduction: a single logit is a sigmoid's.

    >>> usual_settings(Batch.from_arrays(logits=[[[3.0]]], targets=[[1]])).reduction
    'classification'
    """
    one_logit = batch.logits is not None and batch.classes == 1
    return Settings(mask=mask, reduction="classification" if one_logit else "mean")


def scores(batch: Batch, settings: Settings) -> Array:
    """The logits that a softmax is taken of, [B, T, V]; a sigmoid's are [B, T, 2].

    >>> batch = Batch.from_arrays(logits=[[[3.0]]], targets=[[1]])
    >>> scores(batch, Settings(reduction="classification")).tolist()  # sigmoid(z) is the softmax of (0, z)
    [[[0.0, 3.0]]]
    """
    if batch.logits is None:
        raise NoLogitsError
    if not settings.is_classifier:
        logits: Array = batch.logits
        return logits
    return np.concatenate([np.zeros_like(batch.logits), batch.logits], axis=2)


def measure(batch: Batch, settings: Settings, progress: Progress | None = None) -> Timesteps:
    """Every timestep's loss, probability, entropy and rank.

    Raises:
        SettingsError: if the reduction is a classifier's and there is more than one logit.
    """
    if batch.logits is None:
        return _recorded(batch, settings)
    from lossviz.engine import per_timestep

    if settings.is_classifier and batch.shape[2] != 1:
        raise SettingsError(
            "`reduction='classification'` needs one sigmoid logit per timestep, `logits` of shape (B, T, 1); "
            f"got {batch.shape}. For {batch.shape[2]} classes choose 'mean', 'language_model' or 'encoder_decoder'."
        )
    return per_timestep(scores(batch, settings), batch.targets, progress=progress)


def _recorded(batch: Batch, settings: Settings) -> Timesteps:
    """The recorded losses; a target that is no class has none, whatever a fused loop wrote there."""
    if settings.is_classifier and batch.classes not in (None, 1, 2):
        raise SettingsError(
            f"`reduction='classification'` needs losses of a sigmoid or of 2 classes; this batch has {batch.classes}. "
            "Choose 'mean', 'language_model' or 'encoder_decoder'."
        )
    limit = np.inf if batch.classes is None else max(batch.classes, 2) if settings.is_classifier else batch.classes
    is_class = (batch.targets >= 0) & (batch.targets < limit)
    losses = np.where(is_class, np.nan if batch.losses is None else batch.losses, np.nan)
    return recorded_timesteps(losses, **{name: getattr(batch, name) for name in RECORDED})


def alternatives_of(batch: Batch, settings: Settings, timesteps: Timesteps) -> "Alternatives":
    """What else the logits give, for label smoothing, z-loss and the bugs; computed once for the same `timesteps`."""
    if batch.logits is None:
        raise NoLogitsError
    from lossviz.engine import alternative_losses

    if timesteps not in _known:
        _known[timesteps] = alternative_losses(scores(batch, settings), batch.targets)
    return _known[timesteps]
