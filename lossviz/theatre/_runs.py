"""Recordings as runs of the recorder, which the page Runs and `lossviz.open_run` open."""

from pathlib import Path

import numpy as np

from lossviz.masking import length_mask
from lossviz.recording import Recorder
from lossviz.theatre._recording import SIDES, Recording, Run, read_where

__all__ = ["export_runs"]


def export_runs(recording: Recording, folder: Path) -> tuple[Path, Path]:
    """Write both runs as the recorder does, a step a frame: the fixed batch, and the number printed for it.

    Args:
        recording: finished or not.
        folder: where the two folders are made, which must not be there yet.

    Returns:
        The folders of the right run and of the wrong one.

    Raises:
        InputError: if one is there already.

    >>> import tempfile
    >>> from lossviz.recording import open_run
    >>> from lossviz.theatre import act_numbered, read
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     right, wrong = export_runs(read(act_numbered(1).settings[0]), Path(folder))
    ...     right.name, wrong.name, open_run(wrong).steps[:4]
    ('dates-right-adam', 'dates-stop-is-pad-adam', (0, 1, 2, 3))
    """
    right, wrong = (_export(recording.side(side), folder) for side in SIDES)
    return right, wrong


def _export(run: Run, folder: Path) -> Path:
    scene, path = run.scene, folder / Path(run.settings.file(run.bug)).stem
    with Recorder(
        path,
        trainer="lossviz.theatre",
        every=1,
        keep_steps=int(run.steps[-1]) + 2,
        queue_size=len(run) + 1,
        vocabulary=list(scene.vocabulary) if scene.vocabulary else None,
        pad_id=scene.pad_id,
        eos_id=scene.eos_id,
    ) as recorder:
        for place, step in enumerate(run.steps):
            recorder.step(
                step=int(step),
                targets=scene.targets,
                losses=run.losses[place],
                weights=_weights(run),
                inputs=scene.inputs,
                reported=f"{run.prints[place]:.4f}",
            )
    return path


def _weights(run: Run) -> np.ndarray:
    """1 where a timestep counts, [B, T]; of a review that is the one where it is read."""
    lengths, width = run.scene.lengths, run.scene.targets.shape[1]
    counts = length_mask(lengths, width) if run.scene.vocabulary is not None else read_where(lengths, width, run.bug)
    return np.asarray(counts, np.int64)
