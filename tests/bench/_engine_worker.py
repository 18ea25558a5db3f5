"""One contender in a process of its own, waiting for orders: `python -m tests.bench._engine_worker`.

Each line of input is a list [case, B, T, V]; each line of output the seconds that one call took. The parent asks the
contenders in turn, so that all of them meet the same weather.
"""

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

from sample_data.make_large import large_logits, large_targets

Shape = tuple[int, int, int]


def product(shape: Shape, *, file: bool, xla: bool) -> Callable[[], object]:
    from lossviz.engine import load_tensorflow, per_timestep

    load_tensorflow()
    logits, targets = arrays(shape, file)

    def call() -> object:
        os.environ["LOSSVIZ_XLA"] = str(int(xla))
        return per_timestep(logits, targets)

    return call


def torch_loss(shape: Shape, *, compiled: bool) -> Callable[[], object]:
    import torch

    torch.set_num_threads(2)
    logits, targets = arrays(shape, file=False)
    x, y = torch.from_numpy(logits).flatten(0, 1), torch.from_numpy(targets).flatten()

    def loss() -> object:
        return torch.nn.functional.cross_entropy(x, y, reduction="none")

    return torch.compile(loss) if compiled else loss


def tensorflow_op(shape: Shape) -> Callable[[], object]:
    from lossviz.engine import load_tensorflow

    tf = load_tensorflow()
    x, y = (tf.constant(array) for array in arrays(shape, file=False))
    return lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x).numpy()


def stream(shape: Shape) -> Callable[[], object]:
    import torch

    x = torch.from_numpy(arrays(shape, file=False)[0])
    return lambda: x.max().item()


def arrays(shape: Shape, file: bool) -> tuple[np.ndarray, np.ndarray]:
    path = large_logits(*shape)
    return np.load(path, mmap_mode="r" if file else None), large_targets(*shape)


CASES: dict[str, Callable[[Shape], Callable[[], object]]] = {
    "torch": lambda shape: torch_loss(shape, compiled=False),
    "torch.compile": lambda shape: torch_loss(shape, compiled=True),
    "lossviz, RAM": lambda shape: product(shape, file=False, xla=True),
    "lossviz, file": lambda shape: product(shape, file=True, xla=True),
    "lossviz without XLA, RAM": lambda shape: product(shape, file=False, xla=False),
    "TensorFlow's op": tensorflow_op,
    "stream": stream,
}


def main() -> None:
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    ready: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        case, *shape = json.loads(line)
        if line not in ready:
            ready.clear()  # one array at a time
            ready[line] = CASES[case]((shape[0], shape[1], shape[2]))
            ready[line]()
        start = time.perf_counter()
        ready[line]()
        print(time.perf_counter() - start, file=output, flush=True)


if __name__ == "__main__":
    main()
