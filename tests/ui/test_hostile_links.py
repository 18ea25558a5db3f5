"""Addresses of the pages that came last, with values as extreme as their checks let through."""

from typing import Any

import pytest

import lossviz
from lossviz.ui.link import pack
from tests.ui.driver import open_page, texts

NUMBER = "9" * 18
VIEWS: dict[str, list[dict[str, Any]]] = {
    "runs": [
        {
            "runs_token": NUMBER,
            "runs_length": "999999999-1",
            "runs_timestep": "٣",
            "runs_rank": "x\x1b[31m",
            "runs_split": NUMBER,
            "runs_sequence": "zz" * 2_000,
            "runs_run": "nowhere",
            "run_step": "१",
        },
        {"runs_token": "\u202e<b>", "runs_length": "12 to", "runs_order": "spread", "runs_sequence": "f" * 16},
    ],
    "compare": [
        {"compare_a": "run, step 99", "compare_b": "\0", "projector": True},
        {"compare_a": "run, step 1", "compare_b": "run, step 0", "cell": [10**9, 10**9]},
    ],
}


@pytest.mark.parametrize("page", VIEWS)
def test_extreme_address_opens_its_page(tmp_path, monkeypatch, page: str) -> None:
    with lossviz.Recorder(tmp_path / "run", every=1, pad_id=0) as recorder:
        for step in range(2):
            recorder.step(step=step, targets=[[1, 2, 0], [3, 0, 0]], losses=[[0.5, 1.0 + step, 2.0], [1.0, 2.0, 3.0]])
    monkeypatch.setenv("LOSSVIZ_FILE", str(tmp_path / "run"))
    for view in VIEWS[page]:
        app = open_page(page, view=pack({"door": "Open", **view}))
        assert texts(app, "error") == []


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("learn", {"chapter": "١", "step": "²", "teacher": "1", "stop": "3", "votes": "-".join(["999"] * 10)}),
        ("train", {"act": "²", "live": "../../etc" * 1_000}),
    ],
)
def test_extreme_place_opens_its_page(page: str, query: dict[str, str]) -> None:
    assert texts(open_page(page, **query), "error") == []
