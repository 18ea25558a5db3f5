"""Lightning: the PyTorch interceptor, begun and ended by the trainer.

It needs no import of Lightning: a trainer calls a callback's hooks by name.
"""

from pathlib import Path
from typing import Any

from lossviz.recording.pytorch import PyTorchRecorder

__all__ = ["LightningRecorder"]


class LightningRecorder:
    """A callback that records the cross-entropies of a training step: `Trainer(callbacks=[LightningRecorder("run/")])`.

    Args:
        path: the folder of the run.
        settings: those of `record_pytorch`.

    >>> LightningRecorder("run/", every=10).state_key
    'LightningRecorder'
    """

    state_key = "LightningRecorder"

    def __init__(self, path: str | Path, **settings: Any) -> None:
        self._path, self._settings = path, settings
        self._recorder: PyTorchRecorder | None = None

    def on_train_start(self, trainer: Any, _: Any) -> None:
        """Begin to record; rank and world size are known now."""
        places = {"rank": trainer.global_rank, "world": trainer.world_size}
        self._recorder = PyTorchRecorder(self._path, trainer="lightning", **places | self._settings).__enter__()

    def on_train_batch_end(self, trainer: Any, _: Any, outputs: Any, *__: Any) -> None:
        """Add the loss of the training step, which Lightning has divided by the accumulated batches."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None and self._recorder is not None and self._recorder.recorder.wants(self._recorder.latest):
            self._recorder.report(f"{loss.item() * trainer.accumulate_grad_batches:.6g}")

    def on_train_end(self, *_: Any) -> None:
        """End the recording."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.__exit__(None, None, None)

    on_exception = on_train_end

    def state_dict(self) -> dict[str, Any]:
        """Nothing goes into a checkpoint."""
        return {}

    def __getattr__(self, name: str) -> Any:
        """The other hooks of a trainer, which mean nothing here."""
        if name.startswith(("on_", "setup", "teardown", "load_state_dict")):
            return _nothing
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _nothing(*_: Any, **__: Any) -> None:
    return None
