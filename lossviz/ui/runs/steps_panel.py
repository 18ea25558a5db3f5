"""The run over its steps, and what the doctor and `identify` say of all of them."""

from functools import partial

import streamlit as st

from lossviz.figures import run_steps
from lossviz.runs import Run, RunDiagnosis, RunIdentification, diagnose_run, identify_run
from lossviz.ui.runs.run_choice import go_to_step, nearest_place, step_on_screen
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.computation import load_engine
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.findings_badge import COLOURS, ICONS
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.widgets import literal

__all__ = ["checked", "steps_panel"]

PLOT, WIDTH = "run_plot", 930
SHOWN = 8  # formulas, and steps that none explains
Checked = tuple[RunDiagnosis, RunIdentification]


def steps_panel(state: State, run: Run) -> None:
    """Draw all steps; the chosen one is the batch on all pages."""
    steps = run.outline()
    numbers = steps["step"].tolist()
    at = nearest_place(numbers, step_on_screen(run))
    picked = selected_cell(PLOT, (0, at))
    if picked is not None and picked[1] != at and picked[1] < len(numbers):
        go_to_step(state, run, numbers[picked[1]])
    found = checked(run)
    findings = {} if found is None else {one.first.code: one.steps for one in found[0].findings}
    with st.container(key="run_over_steps"):
        figure = run_steps(steps, findings=findings, theme=theme(), width=plot_width(PLOT, WIDTH))
        plot(figure, key=PLOT, cell=(0, at), label=f"{len(steps)} steps. Arrow keys choose one.")
        if len(numbers) < len(run.step_numbers):
            _rest(run, len(numbers))
    with st.container(key="run_check"):
        _check(run, found)


def checked(run: Run) -> Checked | None:
    """What was said of the run in this tab; None before it was asked."""
    kept = read_widget(_kept(run))
    return kept if isinstance(kept, tuple) else None


def _rest(run: Run, drawn: int) -> None:
    """Say that not all steps are drawn, and read the others when asked."""
    place = st.container(horizontal=True, vertical_alignment="center")
    place.caption(
        f"{drawn:,} of {len(run.step_numbers):,} steps are drawn, evenly spread: the run holds {run.timesteps:,} "
        "timesteps. The list and the small pictures below read all of them."
    )
    if place.button("Read all steps", key="run_read_all", help="Reads the losses of every step, once."):
        with st.spinner("Reading all steps"):
            run.steps()
        st.rerun()


def _kept(run: Run) -> str:
    return f"runs:checked:{run.recorded.path}"


def _check(run: Run, found: Checked | None) -> None:
    if found is None:
        st.button(
            "Check all steps",
            key="run_check_all",
            icon=":material/stethoscope:",
            on_click=partial(write_widget, _asked(run), value=True),
            help="Runs the doctor on every step, and asks which formula gives the printed numbers.",
        )
        if read_widget(_asked(run)):
            write_widget(_asked(run), None)
            _compute(run)
        return
    diagnosis, identified = found
    for one in diagnosis.findings:
        where = f"in {len(one.steps):,} of {len(diagnosis.steps):,} steps, first at step {one.steps[0]:,}"
        colour = COLOURS[one.first.severity]
        st.markdown(
            f":{colour}[{ICONS[one.first.severity]}] **{one.first.code}**, {where}: {literal(one.first.message)}"
        )
    if not diagnosis.findings:
        st.markdown(":material/check_circle: The doctor finds nothing in any step.")
    st.markdown(_numbers(identified))
    for said, problems in (("checked", diagnosis.problems), ("compared", identified.problems)):
        if problems:
            step, reason = next(iter(problems.items()))
            st.caption(literal(f"{len(problems):,} steps could not be {said}; step {step:,}: {reason}"))


def _asked(run: Run) -> str:
    return f"{_kept(run)}:asked"


def _compute(run: Run) -> None:
    """Check and identify, with progress and a way to stop: pressing the button ends this run of the page."""
    place = st.container(horizontal=True, vertical_alignment="center")
    place.button("Stop", key="run_check_stop", help="Ends the check; nothing of it is kept.")
    bar = place.progress(0.0, "Loading TensorFlow")
    load_engine()

    def show(start: float, words: str, done: int, total: int) -> None:
        bar.progress(start + done / total / 2, f"{words} {done:,} of {total:,} steps")

    diagnosis = diagnose_run(run, progress=partial(show, 0.0, "Checked"))
    identified = identify_run(run, progress=partial(show, 0.5, "Identified the printed numbers of"))
    write_widget(_kept(run), (diagnosis, identified))
    st.rerun()


def _numbers(identified: RunIdentification) -> str:
    """Which formula gives the printed numbers, and the steps that it doesn't explain.

    >>> _numbers(RunIdentification())
    'No number was printed, or none could be compared.'
    """
    count = len(identified.printed)
    if not count:
        return "No number was printed, or none could be compared."
    if not identified.explanations:
        return f"No formula explains any of the {count:,} printed numbers."
    lines, rest = [], {*identified.printed}
    for match, steps in identified.explanations[:SHOWN]:
        lines.append(
            f"**{match.code}** explains {len(steps):,} of {count:,} printed numbers, first at step {steps[0]:,}: "
            f"{literal(match.title)}."
        )
        rest -= {*steps}
    if rest:
        numbers = ", ".join(f"{step:,} ({identified.printed[step]})" for step in sorted(rest)[:SHOWN])
        lines.append(f"Not explained: step {literal(numbers)}{' and more' if len(rest) > SHOWN else ''}.")
    return "  \n".join(lines)
