"""How many bugs the padding doctor names, and how often it is wrong, into docs/rules.md: `make doctor-bench`."""

import argparse
import time
from pathlib import Path

import numpy as np

from tests.bench import _false_hits
from tests.bench._markdown import table, write_section
from tests.bench._pipelines import measured, section
from tests.rules.clean import CLEAN
from tests.rules.mutations import INJECTORS, MASKED, Alarm, Trial, alarms, trials

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
NAMED, FIRST = 0.99, 0.90


def percent(values: list[float]) -> str:
    known = [value for value in values if not np.isnan(value)]
    share = 100 * float(np.mean(known)) if known else 0.0
    return f"{share:.4g} %" if known else "–"


def row(name: str, found: list[Trial]) -> list[object]:
    return [
        name,
        max((trial.seed + 1 for trial in found), default=0),
        len(found),
        percent([float(trial.is_named) for trial in found]),
        percent([float(trial.is_first) for trial in found]),
        percent([trial.overlap for trial in found]),
        percent([trial.is_mended for trial in found]),
    ]


def recall(found: dict[str, list[Trial]]) -> str:
    header = ("bug", "drawn", "injected", "named", "first finding", "timesteps", "mended")
    every = [trial for some in found.values() for trial in some]
    everywhere = ["**all**", "", *row("", every)[2:]]
    return table(header, [*(row(f"`{code}`", some) for code, some in found.items()), everywhere])


def false_alarms(said: dict[str, list[Alarm]], each: int) -> str:
    wrong = {kind: some for kind, some in said.items() if some}
    total = sum(len({alarm.seed for alarm in some}) for some in said.values())
    kinds = f"{each} of each kind: {', '.join(said)}"
    lines = [f"{total} of {each * len(said):,} clean batches got an error or a warning; {kinds}."]
    lines += [
        f"- {kind}: {', '.join(sorted({alarm.code for alarm in some}))} in {len({alarm.seed for alarm in some})}"
        for kind, some in wrong.items()
    ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bugs", type=int, default=100, help="batches for each bug")
    options.add_argument("--masked", type=int, default=20, help="batches for each bug among prompts")
    options.add_argument("--clean", type=int, default=30, help="batches of each clean kind")
    options.add_argument("--pipelines", type=int, default=20, help="batches for each bug in a pipeline")
    options.add_argument("--only", nargs="*", default=None, help="codes; nothing is written then")
    options.add_argument("--examples", type=int, default=0, help="misses to print for each bug")
    chosen = options.parse_args()
    start = time.perf_counter()
    found = {code: list(trials(code, chosen.bugs)) for code in chosen.only or INJECTORS}
    said = {} if chosen.only else {kind: list(alarms(kind, chosen.clean)) for kind in CLEAN}
    masked = {} if chosen.only else {code: list(trials(code, chosen.masked, MASKED)) for code in MASKED}
    parts = [f"{WHAT}\n\n{recall(found)}"]
    parts += [f"{AMONG}\n\n{recall(masked)}", false_alarms(said, chosen.clean)] if said else []
    parts += [section(measured(chosen.pipelines, 3 * chosen.pipelines)), _false_hits.section(), TIME] if said else []
    print("\n\n".join(parts), f"\n\n{time.perf_counter() - start:.0f} s")
    for some in found.values() if chosen.examples else ():
        missed = [trial for trial in some if not trial.is_first or trial.overlap < 0.5 or trial.is_mended == 0]
        print(*missed[: chosen.examples], sep="\n")
    if not chosen.only:
        write_section("doctor", "\n\n".join(parts), PAGE)


WHAT = (
    "Written by `make doctor-bench`. Each bug is injected into clean batches, half of them recorded from a model "
    "and half drawn from every kind of clean batch, at random places and in random sizes. *Drawn*: how many "
    "batches it took, since not every batch can have every bug, or show it. *Named*: the rule is among the "
    "findings (goal 99 %). *First finding*: nothing is named before it (goal 90 %). *Timesteps*: of those that "
    "are shown or were injected, the share that is both. *Mended*: the rule is silent, or milder, on its repaired "
    "batch; – if arrays can't repair it."
)

AMONG = (
    "The same bugs in batches whose mask is no plain run from the start (prompts, dialogues, sequences padded on "
    "the left), of which fewer can have them:"
)

TIME = "How long the rules take is in [benchmarks.md](benchmarks.md#printed-numbers)."

if __name__ == "__main__":
    main()
