"""What the server makes of the steps that the browser sends from the picture: each once, of its own batch, or none."""

from typing import Any

import numpy as np
import pytest

from lossviz.ui.explore.hand import OTHER_BATCH
from lossviz.ui.shared.edit_history import STALE
from tests.ui.driver import choose, live, number, sample, select, state, steps, texts


def off(held: float = 1.0, cell: tuple[int, int] = (0, 2), value: float = 0.0) -> dict[str, Any]:
    return {"field": "weights", "index": list(cell), "value": value, "held": held}


def edits(app: Any) -> list[str]:
    return [str(edit) for edit in state(app).source.edits]


def test_step_is_made_once_however_often_it_is_sent() -> None:
    """The browser repeats what was not taken yet; the answer says up to where it was."""
    app = sample("golden")
    batch = live(app)["hand"]["batch"]
    first = {"number": 5, "batch": batch, "edits": [off()]}
    steps(app, first)
    steps(app, first, {"number": 6, "batch": batch, "edits": [off(cell=(0, 3)), off(cell=(1, 3))]})
    assert edits(app) == ["weights[0, 2] = 0", "weights[0, 3] = 0", "weights[1, 3] = 0"]
    assert len(state(app).source.steps) == 2
    told = live(app)
    assert (told["hand"]["done"], told["hand"]["batch"]) == (6, batch)
    assert told["hand"]["step"] == f"{10.3 / 10:.4f} → {8.8 / 8:.4f}, − 2 timesteps"
    steps(app, {"number": 7, "batch": batch, "undo": "undo"})
    assert edits(app) == ["weights[0, 2] = 0"]
    steps(app, {"number": 8, "batch": batch, "undo": "redo"})
    assert len(state(app).source.steps) == 2


def test_step_on_another_value_or_another_batch_edits_nothing() -> None:
    """It names what was shown and where: what has changed since is not overwritten."""
    app = sample("golden")
    batch = live(app)["hand"]["batch"]
    steps(app, {"number": 5, "batch": batch, "edits": [off(held=0.5)]})
    assert (edits(app), texts(app, "error")) == ([], [f"{STALE}`weights[0, 2] = 0`."])
    choose(app, sample="golden-weights")
    steps(app, {"number": 6, "batch": batch, "edits": [off()]})
    assert (edits(app), texts(app, "error")) == ([], [OTHER_BATCH])


@pytest.mark.parametrize(
    ("typed", "made"), [("d", 5), ("d (5)", 5), ("<pad>", 0), ("3", 3), ("-100", -100), ("tea", None), ("2.5", None)]
)
def test_target_is_a_token_or_an_id(typed: str, made: int | None) -> None:
    app = sample("golden")
    target = {"field": "targets", "index": [0, 2], "value": typed, "held": 4}
    steps(app, {"number": 5, "batch": live(app)["hand"]["batch"], "edits": [target]})
    if made is None:
        assert (edits(app), number(app)) == ([], "1.2545")
        assert texts(app, "error") == [f"“{typed}” is no token of this batch and no class id: nothing was edited."]
    else:
        assert edits(app) == [f"targets[0, 2] = {made}"]


def test_logit_that_is_no_number_can_be_edited() -> None:
    """JSON knows no NaN: the browser says what was there by its name."""
    app = sample("logits-nan")
    logits = state(app).source.current.logits
    cell = tuple(int(place) for place in next(zip(*np.nonzero(np.isnan(logits)), strict=True)))
    edit = {"field": "logits", "index": list(cell), "value": 0.5, "held": "NaN"}
    steps(app, {"number": 5, "batch": live(app)["hand"]["batch"], "edits": [edit]})
    assert (edits(app), texts(app, "error")) == ([f"logits[{', '.join(map(str, cell))}] = 0.5"], [])


def test_selected_timestep_comes_with_its_logits() -> None:
    """From which the browser tells at once what another target or logit would cost; not in projector mode."""
    app = select(sample("golden"), 0, 2)
    assert live(app)["timestep"]["cell"] == [0, 2]
    app.session_state["projector"] = True
    app.session_state["stage"] = "mask"
    app.run()
    assert live(app, "stage_picture")["timestep"] is None


def test_picture_says_what_may_not_be_edited() -> None:
    app = sample("golden")
    fields = ("weights", "lengths", "targets", "logits")
    assert [live(app)["hand"]["why"][field] for field in fields] == [""] * 4
    choose(app, mask="nonpad")
    assert [live(app)["hand"]["why"][field] for field in fields] == [
        "Only the mask “weights” can be edited; “nonpad” is chosen in the sidebar.",
        "Lengths are not in use: “nonpad” is chosen in the sidebar.",
        "",
        "",
    ]
    choose(app, sample="golden-weights", mask="declared")
    assert live(app)["hand"]["why"]["lengths"] == (
        "This batch has weights, which say what counts: edit them in the mask instead."
    )
    choose(app, reduction="sequence_loss")
    app.session_state["flag_sum_over_batch"] = True
    app.run()
    told = live(app)
    assert (told["divisor"], told["words"]) == (None, {})  # without a number the mask can still be edited
    assert told["hand"]["why"]["weights"] == ""


def test_classifier_is_told_what_it_reads() -> None:
    """By lengths where they say what counts, else by weights; where neither is in use the picture says why."""
    app = sample("reviews-trained")
    told = live(app)["hand"]["why"]
    assert told["weights"] == "A classifier reads one timestep of each sequence: click the one to read."
    assert (told["lengths"], told["reads"]) == ("", "")
    choose(app, mask="none")
    assert live(app)["hand"]["why"]["reads"] == (
        "Only the mask “weights” can be edited; “none” is chosen in the sidebar."
    )


def test_stages_of_a_classifier_have_the_hand_where_they_draw_what_is_read() -> None:
    """Its mask is drawn before one timestep of each sequence is read, and its words say so."""
    app = sample("reviews-trained")
    app.session_state["projector"] = True
    told = {}
    for stage in ("loss", "mask", "unpadded"):
        app.session_state["stage"] = stage
        app.run()
        told[stage] = live(app, "stage_picture")
        if stage == "mask":
            words = [markdown.value for markdown in app.markdown if markdown.value.startswith("The mask says")]
            assert len(words) == 1
            assert words[0].replace("\\", "").endswith("The last one of each sequence is read. Mask: lengths.")
    assert (told["loss"], told["mask"]) == (None, None)
    assert (told["unpadded"]["has_terms"], told["unpadded"]["hand"]["why"]["lengths"]) == (False, "")
