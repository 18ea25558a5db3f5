"""The doctor beside the page: no page waits for it, and nobody examines what is no longer on screen."""

from threading import Event
from typing import Any

import numpy as np
import pytest
import streamlit as st

from lossviz import Batch, diagnose
from lossviz.errors import Cancelled
from lossviz.ui.session import examination
from lossviz.ui.shared import findings_badge
from tests.ui.driver import click, edit_length, number, open_app, open_page, run


def badge(app: Any) -> str:
    return str(app.get("page_link")[0].proto.label)


@pytest.fixture
def slow(monkeypatch) -> Any:
    """Rules that run until they are let go; the questions whether to stop that each of them asked last."""
    go, asked = Event(), []

    def wait(analysis, cancelled):
        asked.append(cancelled)
        go.wait(60)
        if cancelled():
            raise Cancelled("stopped")
        return diagnose(analysis)

    monkeypatch.setattr(examination, "diagnose", wait)
    monkeypatch.setattr(findings_badge, "PATIENCE", 0.01)
    yield go, asked
    go.set()


def test_no_page_waits_for_the_rules(slow):
    go, asked = slow
    app = open_app()
    assert (number(app), badge(app)) == ("1.6970", "Examining…")
    app = edit_length(app, 0, 3)
    assert badge(app) == "Examining…"
    assert number(app) != "1.6970"
    assert asked[0]()  # the first batch is no longer on screen
    go.set()
    findings_badge.PATIENCE = 60
    assert badge(run(app)) in ("No finding", "1 finding")


def test_doctor_page_stops_the_rules_and_runs_them_again(slow, monkeypatch):
    go, asked = slow
    pressed, button = [], st.button

    def press(label: str, **options: Any) -> bool:
        if options.get("key") == "doctor_stop":  # pressed as soon as it is drawn
            pressed.append(label)
            options["on_click"]()
            go.set()
        return button(label, **options)

    monkeypatch.setattr(st, "button", press)
    app = open_page("doctor")
    assert (pressed, asked[0]()) == (["Stop"], True)
    assert [one.value for one in app.info] == ["Stopped. Nothing is said of this batch."]
    app = click(app, "doctor_again")
    assert [one.value for one in app.info] == []
    assert any("finding" in one.value or "Nothing found" in one.value for one in app.markdown)


def test_diagnose_ends_before_the_next_rule_when_it_is_cancelled():
    answers = iter([False, False, True])
    batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]])
    with pytest.raises(Cancelled, match=r"^The examination was stopped\.$"):
        diagnose(batch, cancelled=lambda: next(answers))
    assert list(answers) == []
