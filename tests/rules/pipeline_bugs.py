"""The bugs of the pipelines, by code, and what the doctor says of each: the bench prints it, a test asserts it."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lossviz import Batch, diagnose
from lossviz.rules import Diagnosis
from tests.rules import inject_pipeline_masks as masks
from tests.rules import inject_pipeline_models as models
from tests.rules import inject_pipeline_shifts as shifts
from tests.rules.inject_pipeline_prints import ALIASES, PRINTED, weighed
from tests.rules.pipeline_bug import Bug, Unable, knows_pad
from tests.rules.pipelines import loop, record, task

TEXT = {"kind": "text", "side": "right"}
WITH_END = TEXT | {"tokenizer": ("pad first", "fairseq", "added")}
GPT2 = TEXT | {"tokenizer": "gpt2"}
SHIFTED = {"kind": ("text", "prompt", "chunk", "decoder")}
MASKED = {"kind": ("text", "prompt", "dialogue", "decoder")}
BUGS: tuple[Bug, ...] = (
    Bug("PAD01", "shift", masks.no_mask, masks.runs_at_the_end, TEXT),
    Bug("PAD04", "shift", masks.mask_by_id, masks.holes_of_pad, TEXT | {"tokenizer": "pad first"}),
    Bug("PAD05", "shift", masks.mask_wipes_the_end, masks.ends_are_wiped, GPT2, ("PAD08",)),
    Bug("PAD06", "shift", masks.inverted, masks.padding_counts, MASKED),
    Bug("PAD07", "shift", masks.other_side, knows_pad, {"kind": "text", "side": "left"}),
    Bug("PAD08", "shift", masks.end_not_counted, masks.end_is_dropped, TEXT, ("PAD05",)),
    Bug("PAD08", "shift", masks.pad_counted, masks.one_pad_counts, TEXT, ("SHF05",)),
    Bug("PAD09", "shift", masks.lengths_before_the_cut, task=TEXT),
    Bug("PAD09", "shift", masks.lengths_of_padded_rows, masks.all_are_padded, TEXT, ("PAD01",)),
    Bug("PAD09", "shift", masks.relative_lengths, masks.told_from_ones, TEXT),
    Bug("PAD10", "shift", masks.empty_rows, task=MASKED),
    Bug("PAD11", "shift", masks.template_not_found),
    Bug("PAD12", "shift", masks.half_replaced, masks.pads_left, {"kind": ("prompt", "dialogue"), "side": "right"}),
    Bug("PAD12", "shift", masks.other_ignore_id, task=MASKED, also=("PAD13",)),
    Bug("PAD13", "shift", masks.labels_from_one, masks.too_large, TEXT | {"tokenizer": "keras"}),
    Bug("PAD14", "shift", masks.one_template_missed, masks.one_is_a_prefix, {"kind": "prompt", "side": "right"}),
    Bug("PAD15", "shift", masks.byte_not),
    Bug("PAD16", "shift", masks.whitespace_lengths, task=TEXT, also=("PAD08",)),
    Bug("PAD18", "shift", masks.one_long_row, masks.says_what_pads, TEXT | {"wide": "most"}),
    Bug(
        "SHF01",
        "shift",
        shifts.not_shifted,
        lambda s, b: shifts.copies(s, b) or shifts.lag_shows(s, 1),
        SHIFTED,
        ("SHF06",),
    ),
    Bug(
        "SHF02",
        "shift",
        shifts.shifted_twice,
        lambda s, b: shifts.skips(s, b) or shifts.lag_shows(s, -1),
        SHIFTED,
        ("SHF06",),
    ),
    Bug("SHF03", "shift", shifts.rolled, shifts.wraps, TEXT | {"tokenizer": ("pad first", "fairseq", "added")}),
    Bug(
        "SHF05",
        "shift",
        shifts.mask_of_inputs,
        masks.one_pad_counts,
        {"kind": ("text", "decoder"), "side": "right"},
        ("PAD08",),
    ),
    Bug("SHF07", "collate", shifts.no_end, shifts.end_is_missed, WITH_END),
    Bug("RED14", "shift", shifts.across_documents, shifts.crosses, task={"kind": "packed"}),
    Bug("SHF04", "forward", models.first_not_written, models.zeros_show),
    Bug("SHF06", "forward", models.lagging(-1), lambda step, _: shifts.lag_shows(step, -1), SHIFTED, ("SHF02",)),
    Bug("SHF06", "forward", models.lagging(1), lambda step, _: shifts.lag_shows(step, 1), SHIFTED, ("SHF01",)),
    Bug("SHF08", "forward", models.time_major, lambda step, _: models.spoilt(step)),
    Bug("SHF10", "forward", models.rows_sorted, lambda step, _: models.spoilt(step), TEXT),
    Bug("NUM01", "forward", models.nan_padding(False), also=("NUM02", "NUM05")),
    Bug("NUM05", "forward", models.nan_padding(True), also=("NUM01", "NUM02")),
    Bug("NUM09", "forward", models.nan_that_counts),
    Bug("NUM03", "forward", models.forbidden(True)),
    Bug("NUM04", "forward", models.forbidden(False)),
    Bug("NUM06", "forward", models.half_overflows),
    Bug("NUM06", "forward", models.half_cast_back),
    Bug("MOD01", "forward", models.probabilities),
    Bug("MOD03", "forward", lambda step: models.probabilities(step, log=True)),
    *(bug._replace(also=ALIASES.get(bug.code, ()), task=MASKED) for bug in PRINTED),
)


class Tried(NamedTuple):
    """A bug in a pipeline's batch; `bug` is its place in `BUGS`."""

    bug: int
    seed: int
    batch: Batch
    accepted: frozenset[str]
    diagnosis: Diagnosis

    @property
    def is_named(self) -> bool:
        return any(self.diagnosis.finding(code) for code in self.accepted)

    @property
    def is_first(self) -> bool:
        """Nothing as serious is named before it."""
        severities = [self.diagnosis.finding(code).severity for code in self.accepted if self.diagnosis.finding(code)]
        first = next(iter(self.diagnosis.findings), None)
        return bool(severities) and (first.code in self.accepted or {first.severity, *severities} == {"info"})

    def __str__(self) -> str:
        return f"{BUGS[self.bug].code} ({self.bug}), seed {self.seed}: {self.diagnosis} of {self.batch}"


def with_bug(place: int, seed: int) -> tuple[Batch, frozenset[str], bool] | None:
    """The batch, the codes that name the bug, and whether what was recorded can show it; None: it can't have it."""
    bug, random = BUGS[place], np.random.default_rng([zlib.crc32(BUGS[place].code.encode()), place, seed])
    fixed = {name: str(random.choice(value)) if isinstance(value, tuple) else value for name, value in bug.task.items()}
    stages = {bug.stage: bug.write} | ({"shift": weighed} if bug.code in ("RED08", "RED15") else {})
    try:
        step = loop(task(random, **fixed), random, stages)
        batch = record(step)
        return batch, frozenset({bug.code, *bug.also, *step.same}), bug.shows(step, batch)
    except Unable:
        return None


def tried(place: int, count: int, most: int = 60) -> Iterator[Tried | None]:
    """So many batches that show the bug, if `most` times as many draws give them; None for one that can't show it."""
    left = count
    for seed in range(most * count):
        drawn = with_bug(place, seed) if left else None
        if drawn is None:
            continue
        batch, accepted, shows = drawn
        left -= shows
        yield Tried(place, seed, batch, accepted, diagnose(batch)) if shows else None
