"""The catalogue: every figure is listed, documented, keyword-only after its first argument, and small."""

import inspect

import numpy as np
import plotly.graph_objects as go
import pytest

from lossviz import figures
from lossviz.conventions import compare_conventions
from tests.figures._cases import checked, golden
from tests.figures.run_tables import comparison, groups_table, steps_table, strips_table, trajectory_table

every = pytest.mark.parametrize("entry", figures.FIGURES, ids=[entry.name for entry in figures.FIGURES])


def subject(entry):
    analysis = golden()
    subjects = {
        "class_bars": analysis.explain(0, 0),
        "conventions": compare_conventions(analysis),
        "mask": analysis.batch,
        "step_strip": steps_table(),
        "run_steps": steps_table(),
        "sequence_strips": strips_table(),
        "trajectory": trajectory_table(),
        "grouped_losses": groups_table("token"),
        "difference_map": comparison(),
        "loss_scatter": comparison(),
        "two_runs": [analysis, analysis],
        "learning_curves": [figures.Learning("right", np.array([2.0, 1.0]), np.array([0, 2]), np.array([2.5, 0.9]))],
    }
    return subjects.get(entry.name, analysis)


def test_figures_are_sorted_and_public():
    names = [entry.name for entry in figures.FIGURES]
    assert names == sorted(set(names))
    assert set(names) <= set(figures.__all__)
    assert len(figures.__all__) == len(set(figures.__all__))


@every
def test_figure_is_its_function(entry):
    assert entry.function is getattr(figures, entry.name)
    assert entry.function.__doc__
    assert entry.title


@every
def test_figure_has_at_most_six_keyword_options(entry):
    first, *options = inspect.signature(entry.function).parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}
    assert len(options) <= 6


@every
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figure_is_a_valid_plotly_figure_in_both_themes(entry, theme):
    figure = checked(entry.function(subject(entry), theme=theme))
    assert isinstance(figure, go.Figure)
    assert figure.layout.title.text
    assert figure.layout.uirevision == "lossviz"


@every
def test_figure_is_pure(entry):
    given = subject(entry)
    assert entry.function(given).to_json() == entry.function(given).to_json()
