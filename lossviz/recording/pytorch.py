"""PyTorch: a mode around the training loop that sees every call of `F.cross_entropy`, and how it was called.

`nn.CrossEntropyLoss` calls the same function. Recorded are the calls that a gradient flows through, so evaluation under
`torch.no_grad()` is left out; a step ends when an optimizer of `torch.optim` has stepped.
"""

import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lossviz.errors import require

require("torch", "Recording PyTorch", "torch")

import torch  # noqa: E402
from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402

from lossviz.recording._recorder import Recorder  # noqa: E402
from lossviz.recording._torch_calls import CrossEntropyCall, read_call  # noqa: E402

__all__ = ["PyTorchRecorder", "record_pytorch"]


def record_pytorch(path: str | Path, *, timesteps: int | None = None, **settings: Any) -> "PyTorchRecorder":
    """Record every cross-entropy that is computed inside a `with` block, with a gradient, by PyTorch.

    Args:
        path: the folder of the run.
        timesteps: T, where the loop flattens [B, T] in a way that leaves no trace; otherwise it is recovered.
        settings: those of `Recorder`.

    >>> import tempfile
    >>> import lossviz
    >>> from torch.nn import functional
    >>> logits, targets = torch.zeros(2, 3, 4, requires_grad=True), torch.tensor([[1, 2, 3], [0, -100, -100]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with record_pytorch(f"{folder}/run", every=1):
    ...         loss = functional.cross_entropy(logits.view(-1, 4), targets.view(-1))
    ...     lossviz.recording.open_run(f"{folder}/run").fields(0)["targets"].tolist()
    [[1, 2, 3], [0, -100, -100]]
    """
    return PyTorchRecorder(path, timesteps=timesteps, **settings)


class PyTorchRecorder:
    """What `record_pytorch` returns.

    Attributes:
        recorder: the `Recorder` that it writes with.
        current: the number of the step that training is in, from 0.
    """

    def __init__(self, path: str | Path, *, timesteps: int | None = None, **settings: Any) -> None:
        self.recorder = Recorder(path, **{"trainer": "pytorch"} | settings)
        self.current = 0
        self._timesteps = timesteps
        self._calls = 0
        self._warned = False
        self._mode = _CrossEntropyMode(torch.compiler.disable(self._see))
        self._hook: Any = None

    def __enter__(self) -> Self:
        self._hook = register_optimizer_step_post_hook(lambda *_: self.end_step())
        self._mode.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._mode.__exit__(kind, error, _)
        self._hook.remove()
        self.recorder.close()

    @property
    def latest(self) -> int:
        """The step that was trained last, ended or not."""
        return self.current if self._calls else self.current - 1

    def report(self, number: str | float) -> None:
        """Add the number that the loop printed to the step that was trained last."""
        self.recorder.report(number, step=self.latest)

    def end_step(self) -> None:
        """End a step; optimizers of `torch.optim` do it, a loop with another one calls it itself."""
        if self._calls:
            self.recorder.note(accumulation=self._calls)
            self.current, self._calls = self.current + 1, 0

    def _see(self, arguments: tuple[Any, ...], options: dict[str, Any], result: Any) -> None:
        """Record one call; whatever goes wrong is a warning, since training must go on."""
        if not torch.is_grad_enabled() or not arguments[0].requires_grad:
            return
        micro_batch, self._calls = self._calls, self._calls + 1
        if self.recorder.wants(self.current):
            try:
                self._record(read_call(arguments, options, result, self._timesteps), micro_batch)
            except Exception as problem:
                self._warn(f"A call of `cross_entropy` was not recorded: {problem}")

    def _record(self, call: CrossEntropyCall, micro_batch: int) -> None:
        if call.details["flat"]:
            self._warn(
                f"`cross_entropy` was called on {call.targets.shape[1]} flat timesteps, recorded as one sequence. "
                "Pass `timesteps=T` to `record_pytorch`."
            )
        self.recorder.step(step=self.current, micro_batch=micro_batch, **call.arguments())

    def _warn(self, message: str) -> None:
        if not self._warned:
            warnings.warn(message, stacklevel=2)
        self._warned = True


class _CrossEntropyMode(TorchFunctionMode):  # type: ignore[misc]
    def __init__(self, see: Any) -> None:
        super().__init__()
        self._see = see

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.nn.functional.cross_entropy:
            self._see(args, kwargs or {}, result)
        return result
