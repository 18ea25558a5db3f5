"""Train each pair of the theatre, and write its recording; `--compare` trains them from five seeds and prints a table.

`python -m sample_data.train_theatre --compare` takes about eight minutes of one core: the table in `docs/models.md`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.theatre import SEEDS, STEPS, Growing, Settings, frame_steps, write
from lossviz.theatre.events import Ended, Event, Framed, Opened, Stepped
from lossviz.theatre.rehearsal import Cast, versions
from sample_data import dates, prose, train_language_model

__all__ = ["CASTS", "COMPARED", "compare", "write_corpora", "write_theatre"]

CASTS = {
    ("dates", "adam"): ("right", "stop-is-pad", "not-shifted", "mean-of-means", "mask-inverted"),
    ("characters", "adam"): ("right", "no-mask", "padding-divides", "space-is-pad"),
    ("characters", "sgd"): ("right", "padding-divides"),
    ("reviews", "adam"): ("right", "last-column"),
}
COMPARED = (1, 2, 3, 4, 5)
TRAIN, TEST = 4000, 496  # pairs of dates; with the fixed batch, eight micro-batches
LAST = 20  # printed numbers that are averaged


def write_theatre(folder: Path) -> None:
    """Write the texts, train each cast once, write each of its runs, and print the verdicts."""
    write_corpora(folder / "corpora")
    for (model, optimizer), bugs in CASTS.items():
        for settings, events in zip(*_rehearsed(model, bugs, optimizer), strict=True):
            recording = Growing(settings).add_all(events)
            write(recording, folder / "theatre")
            print(f"theatre, {settings.key}: {'; '.join(recording.verdict().sentences)}", flush=True)


def _rehearsed(model: str, bugs: Sequence[str], optimizer: str) -> tuple[list[Settings], list[list[Event]]]:
    """Each pair of the first loss and another one, with what `rehearse` would give for it."""
    pairs = [Settings(model, bug, optimizer) for bug in bugs[1:]]
    cast, places = Cast(model, bugs, optimizer, SEEDS[model]), range(1, len(bugs))
    events: list[list[Event]] = [[Opened(cast.stage.scene, versions())] for _ in pairs]

    def note(kind: Callable[[Any, Any], Event], given: Sequence[Any]) -> None:
        for place in places:
            events[place - 1].append(kind(given[0], given[place]))

    note(Framed, cast.frames(0))
    for done, printed in enumerate(cast.steps(STEPS[model]), start=1):
        note(Stepped, printed)
        if done in frame_steps(STEPS[model]):
            note(Framed, cast.frames(done))
    note(Ended, cast.facts())
    return pairs, events


def write_corpora(folder: Path) -> None:
    """Write the texts of the characters and of the dates, one per line, the fixed batch first of the held-out ones."""
    folder.mkdir(parents=True, exist_ok=True)
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


def compare(seeds: Sequence[int] = COMPARED) -> None:
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
    printed = np.array(list(cast.steps(steps)))[-LAST:].mean(axis=0)
    figures: dict[str, dict[str, float]] = {}
    for bug, number, frame, facts in zip(bugs, printed, cast.frames(steps), cast.facts(), strict=True):
        groups = {group.name: float(true) for group, true in zip(cast.stage.scene.groups, frame.true, strict=True)}
        off = {
            "told": frame.told,
            "lie": frame.told / groups["all"] - 1,
            "harm": groups["all"] - figures.get("right", groups)["all"],
        }
        figures[bug] = {"printed": float(number), **groups, **facts, **off}
        print(f"{model} {optimizer} {bug} seed {seed}: { {name: round(x, 4) for name, x in figures[bug].items()} }")
        print(f"  {' | '.join(map(str, frame.texts))}", flush=True)
    return figures


if __name__ == "__main__":
    compare() if "--compare" in sys.argv else write_theatre(Path(__file__).parent)
