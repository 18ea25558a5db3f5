"""Train each pair of the theatre, and write its recording; `--compare` trains them from five seeds and prints a table.

`python -m sample_data.train_theatre --compare` takes about twenty minutes of one core: the table in `docs/models.md`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lossviz.theatre import ACTS, STEPS, Growing, Recording, Settings, write
from lossviz.theatre.rehearsal import Cast, rehearse
from sample_data import dates, prose, train_language_model

__all__ = ["CASTS", "PAIRS", "SEEDS", "compare", "trained", "write_corpora", "write_theatre"]

PAIRS = tuple(settings for act in ACTS for settings in act.settings)
CASTS = {
    ("dates", "adam"): ("right", "stop-is-pad", "not-shifted", "mean-of-means", "mask-inverted"),
    ("characters", "adam"): ("right", "no-mask", "padding-divides", "space-is-pad"),
    ("characters", "sgd"): ("right", "padding-divides"),
    ("reviews", "adam"): ("right", "last-column"),
}
SEEDS = (1, 2, 3, 4, 5)
TRAIN, TEST = 4000, 500  # pairs of dates


def trained(settings: Settings) -> Recording:
    """Both runs of a pair, trained here."""
    return Growing(settings).add_all(rehearse(settings))


def write_theatre(folder: Path) -> None:
    """Train each pair, write its two runs, and print its verdict."""
    for settings in PAIRS:
        recording = trained(settings)
        write(recording, folder / "theatre")
        print(f"theatre, {settings.key}: {'; '.join(recording.verdict().sentences)}", flush=True)


def write_corpora(folder: Path) -> None:
    """Write the texts of the characters and of the dates, one a line, the fixed batch first of the held-out ones."""
    parts, shown = prose.split(), train_language_model.SHOWN
    kept_out = [*shown, *(text for text in (*parts.test, *parts.validation) if text not in shown)]
    _write(
        folder / "characters.txt",
        "Sentences of Alice's Adventures in Wonderland, chapters VII to IX, in pieces (sample_data/prose.py).",
        {"train": [[text] for text in parts.train], "test": [[text] for text in kept_out]},
    )
    _write(
        folder / "dates.txt",
        "Written-out dates and what ISO 8601 writes for them (sample_data/dates.py).",
        {"train": dates.pairs("train", TRAIN), "test": [*dates.SHOWN, *dates.pairs("test", TEST)]},
    )


def _write(path: Path, header: str, rows: dict[str, Sequence[Sequence[str]]]) -> None:
    lines = ["\t".join((split, *columns)) for split, texts in rows.items() for columns in texts]
    path.write_text("\n".join([f"# {header}", *lines, ""]), encoding="utf-8", newline="\n")


def compare(seeds: Sequence[int] = SEEDS) -> None:
    """Print what each program printed and what was true of its model: the mean over the seeds, lowest to highest."""
    for (model, optimizer), bugs in CASTS.items():
        found = [_figures(model, bugs, optimizer, seed) for seed in seeds]
        for bug in bugs:
            print(f"{model}, {optimizer}, {bug}")
            for name in found[0][bug]:
                each = np.array([figures[bug][name] for figures in found])
                print(f"  {name}: {each.mean():.4g} ({each.min():.4g} to {each.max():.4g})", flush=True)


def _figures(model: str, bugs: Sequence[str], optimizer: str, seed: int) -> dict[str, dict[str, float]]:
    """The figures of each run after its last step, and how far its number and its loss are off."""
    cast, steps = Cast(model, bugs, optimizer, seed), STEPS[model]
    printed = np.array(list(cast.steps(steps)))[-20:].mean(axis=0)
    figures: dict[str, dict[str, float]] = {}
    for bug, number, frame, facts in zip(bugs, printed, cast.frames(steps), cast.facts(), strict=True):
        groups = {group.name: float(true) for group, true in zip(cast.stage.scene.groups, frame.true, strict=True)}
        off = {"lie": number / groups["all"] - 1, "harm": groups["all"] - figures.get("right", groups)["all"]}
        figures[bug] = {"printed": float(number), **groups, **facts, **off}
        print(f"{model} {optimizer} {bug} seed {seed}: { {name: round(x, 4) for name, x in figures[bug].items()} }")
        print(f"  {' | '.join(map(str, frame.texts))}", flush=True)
    return figures


if __name__ == "__main__":
    compare() if "--compare" in sys.argv else write_theatre(Path(__file__).parent)
