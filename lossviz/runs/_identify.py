"""The printed numbers of a run: the one formula that explains most of them, and the steps that it doesn't."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import LossvizError
from lossviz.identification import Match, identify
from lossviz.measuring import usual_settings
from lossviz.runs._opened import OpenedRun
from lossviz.runs._windows import explained_mean, is_mean, steps_of
from lossviz.settings import Settings

__all__ = ["RunIdentification", "identify_run"]

Analyze = Callable[[Batch, Settings], Analysis]
Progress = Callable[[int, int], None]


@dataclass
class RunIdentification:
    """The printed numbers of a run, and what explains them.

    Attributes:
        printed: the number of each step that has one.
        steps: the steps that each formula explains, by its code.
        match: a match by its code, of the first step where it came first.
        problems: why a step's number could not be read or compared, by the step.
    """

    printed: dict[int, str] = field(default_factory=dict)
    steps: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    match: dict[str, Match] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def best(self) -> Match | None:
        """The formula that explains most numbers; of several the likeliest; None if none explains any."""
        known = [code for code in self.steps if code in self.match]
        code = min(known, key=lambda code: (-len(self.steps[code]), self.match[code].rank), default=None)
        return None if code is None else self.match[code]

    @property
    def explanations(self) -> tuple[tuple[Match, tuple[int, ...]], ...]:
        """The formulas that explain the numbers, each with its steps: `best`, then what explains most of the rest."""
        rest, found = {*self.printed}, []
        known = [code for code in self.steps if code in self.match]
        while known:
            code = min(known, key=lambda code: (-len(rest & {*self.steps[code]}), self.match[code].rank))
            steps = tuple(step for step in self.steps[code] if step in rest)
            if not steps:
                break
            found.append((self.match[code], steps))
            rest -= {*steps}
        return tuple(found)

    @property
    def unexplained(self) -> tuple[int, ...]:
        """The steps whose number the best formula does not give."""
        best = self.best
        explained = set() if best is None else {*self.steps[best.code]}
        return tuple(step for step in self.printed if step not in explained)

    def add(self, step: int, number: str, matches: tuple[Match, ...]) -> None:
        """Count what explains a step's number: every formula that gives it, the aliases among them."""
        self.printed[step] = number
        for match in matches:
            self.match.setdefault(match.code, match)
        for code in {code for match in matches for code in (match.code, *match.aliases)}:
            self.steps[code].append(step)


def identify_run(
    run: OpenedRun,
    *,
    mask: str | None = None,
    analyze: Analyze = analyze,
    progress: Progress | None = None,
    **options: Any,
) -> RunIdentification:
    """Identify all printed numbers of a run at once.

    A number that is a mean over several logged steps is explained where each of these steps was recorded: by a formula
    whose numbers at those steps have that mean.

    Args:
        run: from `open_run`.
        mask: the mask to compare with; by default what each step declares.
        analyze: what analyzes a step's batch under settings.
        progress: called as `progress(done, total)` after each step; raise in it to stop.
        options: as in `identify`; what the recorder knows (accumulation, ranks, label smoothing) need not be said.

    >>> import tempfile
    >>> import lossviz
    >>> from lossviz.runs import open_run
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with lossviz.Recorder(f"{folder}/run", every=1, pad_id=0) as recorder:
    ...         recorded = recorder.step(step=0, targets=[[3, 1, 0]], losses=[[0.5, 2.0, 1.0]], reported="1.2500")
    ...     identified = identify_run(open_run(f"{folder}/run"))
    >>> identified.best.code, identified.unexplained
    ('C03', ())
    """
    found = RunIdentification()
    for done, step in enumerate(run.step_numbers, 1):
        try:
            _add(found, run, step, lambda batch: analyze(batch, usual_settings(batch, mask)), options)
        except LossvizError as error:
            found.problems[step] = str(error)
        if progress is not None:
            progress(done, len(run.step_numbers))
    return found


def _add(
    found: RunIdentification, run: OpenedRun, step: int, analyzed: Callable[[Batch], Analysis], options: dict[str, Any]
) -> None:
    number = run.recorded.printed(step)
    if is_mean(run, step):
        number, steps = str(run.recorded.reported(step)), steps_of(run, step)
        parts = [(analyzed(run.batch(one)), _known(run, one) | options) for one in steps]
        found.add(step, number, explained_mean(run, steps, parts, number))
    elif number is not None:
        found.add(step, number, identify(analyzed(run.batch(step)), number, **(_known(run, step) | options)))


def _known(run: OpenedRun, step: int) -> dict[str, Any]:
    """What the recorder knows of how a step's loss was computed."""
    pieces, ranks = run.recorded.accumulation(step), run.recorded.ranks_of(step)
    smoothing = run.recorded.details(step).get("label_smoothing")
    known = {"accumulation_steps": pieces if pieces > 1 else None, "smoothing": smoothing or None}
    known |= {"world_size": ranks if ranks > 1 else None}
    return {name: value for name, value in known.items() if value is not None}
