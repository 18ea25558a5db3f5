"""Every page on a batch of losses without logits: its numbers, cells that nobody recorded, what can't be told."""

import io
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lossviz import Batch, analyze, formats, identify
from lossviz.conventions import compare_conventions
from lossviz.figures import QUANTITIES
from lossviz.identification import answer
from lossviz.ui.link import pack
from lossviz.ui.shared import downloads_panel
from tests.ui.driver import (
    choose,
    click,
    container,
    counting,
    door,
    edit_length,
    fill,
    go,
    heatmaps,
    key_of,
    nodes,
    number,
    open_app,
    picture,
    plain,
    run,
    select,
    shown,
    texts,
    unfold,
    upload,
)

NAN = np.nan
FIELDS: dict[str, Any] = {
    "targets": [[1, 2, 3, 0], [1, 2, 0, 0], [3, 1, 2, 2]],
    "losses": [[0.5, 1.0, 2.0, NAN], [0.25, 0.75, NAN, NAN], [1.5, 0.125, 0.5, 4.0]],
    "lengths": [3, 2, 4],
    "rank": [[1, 1, 4, NAN], [1, NAN, NAN, NAN], [2, 1, 1, 3]],
    "entropy": [[0.5, 0.5, 1.0, NAN], [0.25, NAN, NAN, NAN], [0.5, 0.5, 0.5, 1.0]],
    "top_classes": [[[1, 2]] * 4, [[1, -1]] * 4, [[3, 1]] * 4],
    "top_probabilities": [[[0.6, 0.3]] * 4, [[0.75, NAN]] * 4, [[0.5, 0.25]] * 4],
    "vocabulary": ["<pad>", "the", "cat", "sat"],
    "pad_id": 0,
}
SUM, COUNT = 10.625, 9


def opened(**changes: Any) -> AppTest:
    """The app with a file of losses open."""
    fields = {name: value for name, value in (FIELDS | changes).items() if value is not None}
    stream = io.BytesIO()
    np.savez(stream, **{name: np.asarray(value) for name, value in fields.items()})
    app = upload(door(open_app(), "Open"), run_npz=stream.getvalue())
    assert texts(app, "error") == []
    return app


def test_explore_shows_losses_the_third_state_and_what_cannot_be_told() -> None:
    app = opened()
    assert (number(app), counting(app)) == (f"{SUM / COUNT:.4f}", "9 of 12")
    first, mask, left = heatmaps(app)
    np.testing.assert_array_equal(np.isnan(first), np.isnan(FIELDS["losses"]))
    np.testing.assert_array_equal(mask, np.arange(4) < np.array([[3], [2], [4]]))
    np.testing.assert_allclose(np.nansum(left), SUM, rtol=1e-6)
    notes = {note.get("name"): note["text"] for note in picture(app)["layout"]["annotations"]}
    assert (notes["swatch:unrecorded"], notes["legend:unrecorded"]) == ("?", "not recorded")
    assert notes["legend:pad"] == "does not count"
    assert all("not recorded" in text for text in unrecorded_hovers(app))
    for quantity in QUANTITIES:
        choose(app, quantity=quantity)
    cells_say_what_is_known(app)
    edits_of_weights_and_lengths_are_made_and_undone(app)


def unrecorded_hovers(app: AppTest) -> list[str]:
    trace = next(trace for trace in picture(app)["data"] if trace.get("name") == "batch loss")
    return [trace["text"][b][t] for b, t in np.argwhere(np.isnan(FIELDS["losses"]))]


def cells_say_what_is_known(app: AppTest) -> None:
    select(app, 0, 2)
    assert texts(app, "markdown")[0] == "## Sequence 0, timestep 2: target sat"
    assert (
        f"probability {np.exp(-2):.4f} · rank 4 · entropy 1.0000 nats · share of the number {200 / SUM:.1f} % · "
        "gradient: can't be told without logits"
    ) in texts(app, "caption")
    assert r"\log p = -\mathrm{loss} &= -2 " in app.latex[0].value
    bars = {trace["name"]: trace["text"] for trace in picture(app, "classes")["data"]}
    assert bars == {"target": [f"{np.exp(-2):.4f}"], "other classes": ["0.6000", "0.3000"]}
    assert "This batch holds losses and no logits: there are none to edit." in texts(app, "caption")
    target = next(box for box in app.selectbox if str(box.key).startswith("target_locked"))
    assert (target.disabled, target.help) == (True, "What another target would cost can't be told without logits.")
    select(app, 1, 3)
    assert "not recorded" in texts(app, "caption")
    assert "The loss of this timestep was not recorded." in texts(app, "warning")


def edits_of_weights_and_lengths_are_made_and_undone(app: AppTest) -> None:
    edit_length(app, 2, 3)
    assert (number(app), counting(app)) == (f"{(SUM - 4) / 8:.4f}", "8 of 12")
    click(app, "undo")
    select(app, 2, 3)
    fill(app, weight=0)
    assert (texts(app, "error"), number(app)) == ([], f"{(SUM - 4) / 8:.4f}")
    click(app, "undo")
    select(app, 0, 3)
    fill(app, weight=1)  # nobody recorded that loss
    assert number(app) == "NaN"
    assert any("1 unmasked loss was not recorded" in text for text in texts(app, "warning"))


def test_downloads_reopen_and_scripts_start_from_the_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    app = unfold(opened(), "code")
    assert len(app.code) == 4
    assert all("losses = " in block.value and "logits" not in block.value for block in app.code)
    made: dict[str, Any] = {}
    monkeypatch.setattr(downloads_panel, "_button", lambda *button: made.update({button[2]: button[3]}))
    unfold(app, "save")
    assert {name for name in made if name.startswith("batch.")} == {
        f"batch.{name}" for name in ("npz", "json", "csv", "parquet")
    }
    for name in ("npz", "json", "csv", "parquet"):
        again = Batch.from_arrays(**formats.read(made[f"batch.{name}"](), name=f"a.{name}"))
        assert again.shares_losses(shown(app).batch), name
        assert again.lengths.tolist() == FIELDS["lengths"]
    assert all(len(made[f"analysis.{name}"]()) for name in ("csv", "json", "parquet"))
    assert made["equation.html"]().count(b"not recorded") >= 1


def test_doctor_reductions_and_identify_answer_without_logits() -> None:
    app = opened(lengths=[3, 0, 4])
    go(app, "Doctor")
    findings = [finding for finding in ("PAD08", "PAD10") if any(finding in text for text in texts(app, "markdown"))]
    assert findings != []
    unfold(app, "doctor_outcomes")
    assert any("can't be told without logits." in text for text in texts(app, "markdown"))
    unfold(app, "doctor_catalogue")
    go(app, "Reductions")
    analysis = shown(app)
    table = compare_conventions(analysis, smoothing=0.1, accumulation_steps=2, z_loss=1e-4)
    silent = table.code[table.note.str.contains("without logits")]
    assert {"LS1", "SH1"} <= {*silent}
    app.session_state["convention"] = "LS1"
    run(app)
    assert "This can't be told without logits." in texts(app, "caption")
    unfold(app, "code")
    go(app, "Identify")
    text = f"{np.nansum(FIELDS['losses'][0] + FIELDS['losses'][2]) / 12:.4f}"
    run(app.text_input(key=key_of(app, "identify_number")).set_value(text))
    found = [node for node in nodes(container(app, "identify_answer")) if node.type == "markdown"]
    said = " ".join(plain(str(line.value)) for line in found).removeprefix("## ")
    assert said == answer(identify(analysis.batch, text), text)


def test_a_repair_is_applied_and_undone_without_logits() -> None:
    """−100 under no mask: the repair gives those timesteps no weight."""
    app = opened(lengths=None, targets=[[1, 2, 3, -100], [1, 2, -100, -100], [3, 1, 2, 2]])
    choose(app, mask="none")
    go(app, "Doctor")
    assert shown(app).value != shown(app).value
    run(next(button for button in app.button if button.label == "Apply the fix").click())
    assert (texts(app, "error"), shown(app).value) == ([], pytest.approx(SUM / COUNT))
    run(next(button for button in app.button if button.label == "Undo the fix").click())
    assert shown(app).value != shown(app).value


def test_a_link_keeps_the_choices_of_a_file_of_losses() -> None:
    """The file itself is not in an address: its choices open, and the page says what to do."""
    view = pack({"door": "Open", "source": ["file", "run.npz"], "cell": [0, 2], "quantity": "rank"})
    app = open_app(view=view)
    assert texts(app, "error") == []
    assert app.session_state["quantity"] == "rank"


def test_an_analysis_of_equal_losses_is_not_made_twice() -> None:
    app = opened()
    before = shown(app)
    run(app)
    assert shown(app) is before
    assert analyze(before.batch).value == before.value
