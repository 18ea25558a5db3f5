"""Hugging Face `Trainer` and what is built on it: TRL's `SFTTrainer`, and models that give no logits.

A callback never sees a batch, but it gets the model when training begins: a forward hook sees inputs and outputs.
It needs no import of transformers: the trainer calls a callback's methods by name.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lossviz.recording._causal import forward_arrays
from lossviz.recording._recorder import Recorder
from lossviz.recording._settings import recording_settings

__all__ = ["HuggingFaceRecorder"]

_AS_IT_IS: Mapping[str, Any] = MappingProxyType({})


class HuggingFaceRecorder:
    """A callback that records what a Hugging Face trainer trains on: `callbacks=[HuggingFaceRecorder("run/")]`.

    Steps are numbered as the trainer logs them, from 1. Its printed loss is a mean over `logging_steps` steps: with
    `logging_steps=1` it can be explained exactly.

    Args:
        path: the folder of the run.
        settings: those of `Recorder`; `pad_id` and `eos_id` are the tokenizer's, or the model's, where they are not
            given.

    >>> HuggingFaceRecorder("run/", evry=10)
    Traceback (most recent call last):
    lossviz.errors.InputError: A recorder has no setting `evry`. Did you mean `every`?
    """

    def __init__(self, path: str | Path, **settings: Any) -> None:
        recording_settings(settings)
        self.path = Path(path)
        self.recorder: Recorder | None = None
        self._settings = settings
        self._hook: Any = None
        self._step, self._micro_batch, self._logged = 1, 0, 0
        self._accumulation, self._is_wrapped = 1, False
        self._kept: tuple[Any, Any] | None = None
        self._warned: set[str] = set()

    def on_train_begin(self, args: Any, state: Any, _: Any, *, model: Any = None, **given: Any) -> None:
        """Begin to record: the model is there now, and so are rank and world size."""
        sources = (given.get("processing_class"), getattr(model, "config", None))
        ids = {name: _first_id(sources, name.replace("_id", "_token_id")) for name in ("pad_id", "eos_id")}
        places = {"rank": args.process_index, "world": args.world_size}
        defaults = {name: value for name, value in (ids | places).items() if value is not None}
        self.recorder = Recorder(self.path, trainer="huggingface", **{"ignore_id": -100} | defaults | self._settings)
        self._accumulation = args.gradient_accumulation_steps
        self._step, self._micro_batch, self._logged = state.global_step + 1, 0, state.global_step
        self._hook = model.register_forward_hook(self._see, with_kwargs=True)

    def on_step_begin(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
        """Number the step as it will be logged."""
        self._step, self._micro_batch = state.global_step + 1, 0

    def on_log(self, _: Any, state: Any, *__: Any, logs: Any = None, **___: Any) -> None:
        """Add the logged loss to its step, with the number of steps that it is a mean over."""
        if self.recorder is not None and logs and "loss" in logs:
            window = max(1, state.global_step - self._logged)
            self.recorder.report(_printed(logs["loss"]), step=state.global_step, window=window)
            self._logged = state.global_step

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """End the recording."""
        if self._hook is not None:
            self._hook.remove()
        if self.recorder is not None:
            self.recorder.close()

    def loss_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a `compute_loss_func` or a `label_smoother`: the trainer then keeps the labels from the model.

        Args:
            function: called with the model's outputs and the labels; what it returns is returned.
        """
        self._is_wrapped = True

        def watched(outputs: Any, labels: Any, *rest: Any, **options: Any) -> Any:
            loss = function(outputs, labels, *rest, **options)
            if self._kept is not None:
                model, inputs = self._kept
                called = {"label_smoothing": epsilon} if (epsilon := getattr(function, "epsilon", None)) else {}
                self._record(model, {**inputs, "labels": labels, **options}, outputs, loss, called)
            return loss

        return watched

    def __getattr__(self, name: str) -> Any:
        """The other events of a trainer, which mean nothing here."""
        if name.startswith("on_"):
            return _nothing
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _see(self, model: Any, _: Any, inputs: dict[str, Any], output: Any) -> None:
        """The forward hook: record training batches; without labels, keep them for the wrapped loss function."""
        if not model.training or self.recorder is None:
            return
        self._kept = model, inputs
        if inputs.get("labels") is not None:
            self._record(model, inputs, output, getattr(output, "loss", None))
        elif not self._is_wrapped and self.recorder.wants(self._step):
            self._warn(
                "The model was called without labels, so nothing is recorded. Where the trainer has a "
                "`compute_loss_func` or a `label_smoother`, wrap it with `recorder.loss_function(…)`."
            )

    def _record(
        self,
        model: Any,
        inputs: dict[str, Any],
        output: Any,
        loss: Any,
        called: Mapping[str, Any] = _AS_IT_IS,
    ) -> None:
        micro_batch, self._micro_batch = self._micro_batch, self._micro_batch + 1
        if self.recorder is None or not self.recorder.wants(self._step):
            return
        try:
            arrays = forward_arrays(model, inputs, output)
            arrays["details"] |= called
            if not arrays["details"]["measured"]:
                self._warn("The model gives neither logits nor log-probabilities: labels are recorded without losses.")
            self.recorder.step(
                step=self._step,
                micro_batch=micro_batch,
                accumulation=self._accumulation,
                num_items=inputs.get("num_items_in_batch"),
                loss=None if loss is None else loss.detach(),
                **arrays,
            )
        except Exception as problem:
            self._warn(f"A batch was not recorded: {problem}")

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            warnings.warn(message, stacklevel=2)
        self._warned.add(message)


def _first_id(sources: tuple[Any, ...], name: str) -> int | None:
    """The id that the tokenizer says, else the model's configuration; some models have several ends."""
    found = (getattr(source, name, None) for source in sources)
    return next((one for one in found if isinstance(one, int)), None)


def _printed(loss: Any) -> str:
    """A logged loss as text, with the digits that float32 has."""
    return loss if isinstance(loss, str) else f"{loss:.6g}"


def _nothing(*_: Any, **__: Any) -> None:
    return None
