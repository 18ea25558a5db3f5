"""Data pipelines and training loops, step by step from documents to the number printed, and what of them is recorded.

Written from spec/padding-bugs.md alone, by somebody who had read no rule: a second opinion on the rules. A bug
(`tests/rules/pipeline_bugs.py`) is a step that went wrong; a run without one is a batch that is right.
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from lossviz import Batch
from tests.rules.pipeline_corpora import Array, Model, Random, corpus
from tests.rules.pipeline_step import Step, Task, tokenizers

SIZE = 1_000_000
"""B × T × V is at most this."""


def example(task: Task, random: Random, documents: tuple[Array, ...]) -> tuple[Array, Array]:
    """The tokens of one sequence, and which of them the task trains."""
    ids = task.ids
    start = [ids.bos] if ids.bos is not None and task.shifts else []
    end = [ids.eos] if ids.eos is not None and task.kind != "tags" else []
    turns = {"prompt": 2, "dialogue": int(random.integers(2, 6))}.get(task.kind, 1)
    tokens, wanted = [*start], [False] * len(start)
    for turn in range(turns):
        document = documents[random.integers(len(documents))] + ids.first
        said = [*(document if turns == 1 else document[: max(2, task.longest // turns)]), *end]
        tokens += said
        wanted += [turns == 1 or turn % 2 == 1] * len(said)
    return np.array(tokens[: task.longest + 1]), np.array(wanted[: task.longest + 1])


def collate(step: Step, rows: int, documents: tuple[Array, ...]) -> None:
    """Sequences side by side, padded; or documents end to end, cut."""
    task, random = step.task, step.random
    found = [example(task, random, documents) for _ in range(rows)]
    longest = max(len(tokens) for tokens, _ in found)
    width = {"longest": longest, "eight": -(-longest // 8) * 8 + 1, "most": task.longest + 1}[task.wide]
    if task.kind in ("chunk", "packed"):
        stream = np.concatenate([tokens for _ in range(4) for tokens, _ in found])
        numbers = np.repeat(np.arange(len(found) * 4), [len(tokens) for tokens, _ in found] * 4)
        width = min(width, len(stream) // rows)
        step.tokens, step.segments = (values[: rows * width].reshape(rows, width) for values in (stream, numbers))
        step.real = step.wanted = np.ones((rows, width), bool)
        return
    step.tokens = np.full((rows, width), step.pad)
    step.real, step.wanted = np.zeros((2, rows, width), bool)
    for row, (tokens, wanted) in enumerate(found):
        place = slice(width - len(tokens), width) if task.side == "left" else slice(0, len(tokens))
        step.tokens[row, place], step.real[row, place], step.wanted[row, place] = tokens, True, wanted


def shift(step: Step) -> None:
    """What is read, what should be said, and which of it counts."""
    kind, random = step.task.kind, step.random
    if not step.task.shifts:
        step.inputs, step.targets, step.mask = step.tokens, step.tokens, step.wanted & step.real
        if kind == "tags":
            step.targets = np.where(step.real, (step.tokens * 7 + 1) % 11 % min(9, step.task.ids.classes), 0)
        else:
            chosen = step.real & (random.random(step.real.shape) < 0.2)
            chosen[np.arange(len(chosen)), step.real.argmax(axis=1)] = True
            step.inputs, step.mask = np.where(chosen, step.task.ids.bos, step.tokens), chosen
    else:
        step.inputs, step.targets = step.tokens[:, :-1], step.tokens[:, 1:]
        step.mask = (step.wanted & step.real)[:, 1:]
        if kind == "decoder":  # T5: the padding starts
            step.inputs = np.where(np.arange(step.inputs.shape[1]) == 0, step.pad, step.inputs)
        if kind == "packed":
            step.mask = step.mask & (np.diff(step.segments, axis=1) == 0)
        step.segments = step.segments[:, :-1] if kind == "packed" else None
    step.lengths = step.real[:, -step.targets.shape[1] :].sum(axis=1)
    step.truth = step.mask.copy()


Break = Callable[[Step], None]
"""A stage that went wrong, after the stage itself."""


@cache
def model(task: Task, wrong: Break | None) -> Model:
    """A model trained by the pipeline, bug and all."""
    random = np.random.default_rng([zlib.crc32(repr(task).encode())])
    trained = Model(random, task.ids.classes, not task.shifts)
    for _ in range(6):
        step = Step(task, random)
        collate(step, 32, corpus(task.corpus).documents)
        shift(step)
        if wrong is not None:
            wrong(step)
        trained.fit(step.inputs, step.targets, np.asarray(step.mask) > 0)
    return trained


def forward(step: Step, wrong: Break | None) -> None:
    """Logits of a model at some point of its training."""
    random = step.random
    progress = float(random.choice([0, 0.15, 0.5, 1, 1.2], p=[0.08, 0.12, 0.2, 0.45, 0.15]))
    knows = model(step.task, wrong)
    step.logits = knows.logits(step.inputs, progress, 10 ** random.uniform(-2, 0))
    step.right = step.logits


def reduce(step: Step) -> None:
    """What the loop prints: the mean over what counts."""
    weights = np.asarray(step.mask, np.float64)
    with np.errstate(all="ignore"):
        total = np.where(weights != 0, step.losses() * weights, 0).sum()
    step.printed = total / weights.sum() if weights.sum() else float("nan")


KINDS = ("text", "text", "text", "prompt", "dialogue", "decoder", "chunk", "packed", "masked words", "tags")


def task(random: Random, **fixed: object) -> Task:
    """A task of any kind."""
    kind = str(random.choice(KINDS))
    drawn = Task(
        kind,
        int(random.integers(24)),
        str(random.choice(list(tokenizers(1)))),
        "left" if kind in ("text", "prompt", "dialogue") and random.random() < 0.2 else "right",
        str(random.choice(["longest", "longest", "eight", "most"])),
        int(2 ** random.uniform(2.5, 7.65)),
    )
    drawn = replace(drawn, **fixed)
    if drawn.kind == "masked words" and drawn.tokenizer in ("gpt2", "keras"):  # they have no id for a mask
        drawn = replace(drawn, tokenizer="fairseq")
    return drawn


def rows_for(step: Step) -> int:
    """1 to 64 rows, of a size that a test can bear."""
    room = SIZE // (step.task.ids.classes * (step.task.longest + 8))
    return int(np.clip(2 ** step.random.uniform(-0.4, 6.01), 1, max(room, 2)))


def _nothing(step: Step) -> None:
    """No bug."""


def loop(task: Task, random: Random, wrong: dict[str, Break] | None = None) -> Step:
    """One training step, with what goes wrong after a stage: "collate", "shift", "forward" or "reduce"."""
    wrong, step = wrong or {}, Step(task, random)
    spoilt = wrong.get("shift") if random.random() < 0.5 else None  # or only this evaluation is wrong
    collate(step, rows_for(step), corpus(task.corpus).documents)
    wrong.get("collate", _nothing)(step)
    shift(step)
    wrong.get("shift", _nothing)(step)
    forward(step, spoilt)
    wrong.get("forward", _nothing)(step)
    reduce(step)
    wrong.get("reduce", _nothing)(step)
    return step


def ways(step: Step) -> list[str]:
    """The ways in which this mask can be written down."""
    mask, width = np.asarray(step.mask), step.targets.shape[1]
    prefix = (mask == (np.arange(width) < step.lengths[:, None])).all()
    by_id = (mask == (step.targets != step.pad)).all()
    plain = np.isin(mask, (0, 1)).all()
    return ["weights"] + ["lengths", "both"] * bool(prefix) + ["pad"] * bool(by_id) + ["ignored"] * bool(plain)


def record(step: Step) -> Batch:
    """What somebody saves of the step: never everything."""
    random, ids = step.random, step.task.ids
    way = step.mask_as or str(random.choice(ways(step)))
    dtype = random.choice(["f4", "?", "i4", "f8"]) if np.isin(step.mask, (0, 1)).all() else None
    fields = {"logits": step.logits, "targets": step.targets}
    if way in ("weights", "both"):
        fields["weights"] = np.asarray(step.mask, dtype)
    if way in ("lengths", "both"):
        fields["lengths"] = step.lengths
    if way == "ignored":
        fields |= {"targets": np.where(step.mask, step.targets, -100), "ignore_id": -100}
    known: dict[str, Any] = {"pad_id": ids.pad, "eos_id": ids.eos, "inputs": step.inputs}
    known["vocabulary"] = [f"w{i}" for i in range(step.logits.shape[2])]
    known |= {"eos_id": None} if step.task.kind == "tags" else {}  # the targets are no words
    known["segment_ids"] = step.segments
    if step.printed is not None:
        known["reported"] = f"{step.printed:.{random.integers(4, 7)}f}"
    fields |= {name: value for name, value in known.items() if value is not None and random.random() < 0.6}
    fields |= {"pad_id": ids.pad} if way == "pad" else {}
    fields |= step.recorded
    return Batch.from_arrays(**{name: value for name, value in fields.items() if value is not None})
