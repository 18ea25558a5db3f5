"""Writes a large batch of random logits for the benchmark: `python -m sample_data.make_large 32 512 50257`.

The file is `sample_data/large/BxTxV.npy` (float32 [B, T, V], ignored by git), written sequence by sequence and the same
on every machine: sequence b holds 3 · standard normal numbers of `default_rng([b, V])`.
"""

import sys
from pathlib import Path

import numpy as np

__all__ = ["large_logits", "large_targets"]

FOLDER = Path(__file__).parent / "large"


def large_logits(batch: int, time: int, classes: int, folder: Path = FOLDER) -> Path:
    """Writes the logits [B, T, V] unless they are there, and returns their path."""
    path = folder / f"{batch}x{time}x{classes}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        logits = np.lib.format.open_memmap(unfinished, "w+", np.float32, (batch, time, classes))
        for sequence in range(batch):
            random = np.random.default_rng([sequence, classes])
            logits[sequence] = random.standard_normal((time, classes), np.float32) * np.float32(3)
            logits.flush()
        del logits
        unfinished.replace(path)
    return path


def large_targets(batch: int, time: int, classes: int) -> np.ndarray:
    """The targets [B, T] that go with the logits."""
    return np.random.default_rng(classes).integers(0, classes, (batch, time))


if __name__ == "__main__":
    print(large_logits(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
