"""docs/runs.md: its lines for pandas, DuckDB and Polars are run, and say the same."""

import re
from pathlib import Path

import duckdb
import numpy as np
import pandas
import polars
import pytest

import lossviz

PAGE = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
LINES = {re.match(r"\w+", line)[0]: line for line in re.findall(r"```python\n(.*?)\n```", PAGE)}
ASKED, COMPARED = re.findall(r"```python\n(.*?)```", PAGE.partition("## Ask about the whole run")[2], re.DOTALL)


@pytest.fixture
def run(tmp_path, monkeypatch):
    with lossviz.Recorder(tmp_path / "run", every=1, queue_size=100) as recorder:
        for step in range(3):
            known = np.array([[True, True], [True, step != 1]])
            recorder.step(step=step, targets=[[1, 2], [3, -100]], losses=[[step, 1.0], [2.0, 0.0]], known=known)
    monkeypatch.chdir(tmp_path)
    return {step: np.mean([step, 1.0, 2.0] + ([0.0] if step != 1 else [])) for step in range(3)}


def evaluated(name, library):
    return eval(LINES[name], {name: library})  # noqa: S307


def test_docs_runs_names_three_libraries():
    assert list(LINES) == ["pandas", "duckdb", "polars"]


@pytest.mark.usefixtures("run")
def test_docs_runs_line_of_pandas():
    table = evaluated("pandas", pandas)
    assert list(table.columns) == ["step", "row", "targets", "losses"]
    assert table["targets"].map(list).tolist() == [[1, 2], [3, -100]] * 3
    assert np.isnan(table["losses"][3][1])


def test_docs_runs_line_of_duckdb(run):
    assert dict(evaluated("duckdb", duckdb).fetchall()) == pytest.approx(run)


def test_docs_runs_line_of_polars(run):
    assert dict(evaluated("polars", polars).rows()) == pytest.approx(run)


def test_docs_runs_files_are_all_named(run, tmp_path):
    found = {re.sub(r"\d", "0", name) for name in (path.name for path in (tmp_path / "run").iterdir())}
    assert all(f"`{name}`" in PAGE for name in found)
    assert found == {"run.json", "rank-00000.json", "steps-00000-000.parquet"}


def test_docs_runs_questions_are_answered(tmp_path, monkeypatch):
    """Each line of the last two sections, on a run that has such steps."""
    with lossviz.Recorder(tmp_path / "run", every=100, pad_id=0, queue_size=20) as recorder:
        for step in range(0, 1000, 100):
            recorder.step(
                step=step, targets=[[1, 2], [3, 0]], losses=[[step / 100, 6.0], [2.0, 9.0]], reported="4.0000"
            )
    monkeypatch.chdir(tmp_path)
    names = {"lossviz": lossviz}
    answers = {}
    for code in filter(None, (line.partition("#")[0].strip() for line in (ASKED + COMPARED).splitlines())):
        if " = " in code or code.startswith("import"):
            exec(code, names)  # noqa: S102
        else:
            answers.setdefault(code.partition("(")[0], []).append(eval(code, names))  # noqa: S307
    assert answers["run.steps"][0]["mean"].tolist() == [(step + 8) / 3 for step in range(10)]
    assert answers["run.steps"][1]["formula"].tolist()[4] == "C03"
    assert answers["run.outline"][0]["step"].tolist() == list(range(0, 1000, 100))
    assert len(answers["run.sequences"][1]) == 0  # no sequence has 8 timesteps
    assert answers["run.sequences"][0].change.tolist() == [pytest.approx(2.5), 0]
    assert answers["run.trajectory"][0].loss.tolist()[:4] == [0, 6, 1, 6]
    assert answers["run.by"][0].target.tolist() == [2, 1, 3]
    assert answers["run.tokens"][0].loss.tolist() == [6, 6, 9, 7, 6, 9, 8, 6, 9, 9, 6, 9]
    assert answers["comparison.sentence"][0] == "2.6667 → 4.0000 nats, +1.3333: +1.3333 from the losses."
    assert answers["comparison.cells"][0].sum() == pytest.approx(4 / 3)
    assert answers["comparison.tokens"][0].target.tolist() == [1, 2, 3]
