"""With which mask and reduction a batch opens: its own; the user's choice is kept, and a link's stands."""

import io
from typing import Any

import numpy as np
import pytest

from lossviz import Settings, analyze
from lossviz.samples import SAMPLES
from lossviz.ui.link import pack
from lossviz.ui.session.default_reduction import AS_IT_COMES, TRAINED_WITH, Choices, Opening, trained_with
from lossviz.ui.sources.rule_samples import DOOR_SAMPLES, sample_batch
from tests.ui.driver import (
    address,
    choose,
    click,
    door,
    heatmaps,
    key_of,
    number,
    open_app,
    picture,
    sample,
    select,
    texts,
    upload,
)

LM, DATES, OTHER = ("sample", "language-model-trained"), ("sample", "dates-trained"), ("sample", "golden")


def opened(*steps: tuple[tuple[str, str], Choices | None]) -> list[tuple[Choices, Choices]]:
    """What each batch opens with, and what is kept; None where the user leaves it, else what they choose there."""
    opening, now, seen = Opening(), AS_IT_COMES, []
    for batch, chosen in steps:
        now = opening.choices(batch, trained_with(batch[1]), now)
        seen.append((now, opening.own))
        now = chosen or now
    return seen


def test_trained_with_is_what_each_model_minimises() -> None:
    assert {sample.name: trained_with(sample.name) for sample in SAMPLES if trained_with(sample.name)} == {
        f"{model}-{stage}": reduction
        for model, reduction in TRAINED_WITH.items()
        for stage in ("untrained", "half-trained", "trained")
    }
    assert {trained_with(name) for name in DOOR_SAMPLES} == {"", *TRAINED_WITH.values()}


MINE = Choices("none", "counted")
OF_MODEL = Choices("declared", "language_model")


def test_batch_opens_as_it_comes_and_keeps_what_was_chosen() -> None:
    assert opened((OTHER, MINE), (LM, None), (DATES, None), (OTHER, None)) == [
        (AS_IT_COMES, AS_IT_COMES),
        (OF_MODEL, MINE),
        (AS_IT_COMES._replace(reduction="encoder_decoder"), MINE),
        (AS_IT_COMES, MINE),
    ]


def test_opening_acts_once_for_each_batch() -> None:
    assert opened((LM, MINE), (LM, None), (OTHER, None)) == [
        (OF_MODEL, AS_IT_COMES),
        (MINE, AS_IT_COMES),
        (AS_IT_COMES, MINE),
    ]


def test_opening_leaves_what_a_link_says() -> None:
    """Only of what it says, and once."""
    opening = Opening(linked=frozenset({"mask"}))
    assert opening.choices(LM, "language_model", MINE) == Choices("none", "language_model")
    assert opening.choices(OTHER, "", Choices("none", "language_model")) == AS_IT_COMES
    opening = Opening(linked=frozenset({"mask", "reduction"}))
    assert opening.choices(LM, "language_model", MINE) == MINE
    assert (opening.choices(OTHER, "", MINE), opening.own) == (AS_IT_COMES, MINE)


def chosen(app: Any) -> tuple[str, str]:
    return app.session_state["mask"], app.session_state["reduction"]


def test_next_sample_opens_as_its_caption_says_and_the_choice_is_one_click_away() -> None:
    app = choose(sample("golden"), mask="none", reduction="language_model")
    choose(app, sample="padding-mask")
    assert (chosen(app), number(app)) == (("declared", "mean"), f"{7 / 6:.4f}")
    words = "Opened as it comes. Before, you had chosen: No mask: every timestep counts; Sum (language model)."
    assert words in texts(app, "caption")
    click(app, "choose_again")
    assert chosen(app) == ("none", "language_model")
    assert words not in texts(app, "caption")
    choose(app, sample="golden")
    assert (number(app), words in texts(app, "caption")) == ("1.2545", True)
    choose(app, reduction="counted")
    assert words not in texts(app, "caption")


@pytest.mark.parametrize("name", ["language-model-trained", "dates-trained", "reviews-trained"])
def test_sample_of_a_model_opens_with_its_own_number(name: str) -> None:
    """And the next batch gives the mean back."""
    app = sample(name)
    assert number(app) == f"{analyze(sample_batch(name), Settings(reduction=trained_with(name))).value:.4f}"
    assert app.selectbox(key=key_of(app, "reduction")).value == trained_with(name)
    choose(app, sample="golden")
    assert (app.selectbox(key=key_of(app, "reduction")).value, number(app)) == ("mean", "1.2545")


def test_link_of_a_sample_keeps_its_reduction() -> None:
    first = choose(sample("dates-trained"), reduction="counted")
    second = open_app(view=address(first))
    assert (second.selectbox(key=key_of(second, "reduction")).value, number(second)) == ("counted", number(first))
    plain = open_app(view=pack({"door": "Sample", "sample": "dates-trained"}))
    assert plain.selectbox(key=key_of(plain, "reduction")).value == "encoder_decoder"
    gone = open_app(view=pack({"door": "Sample", "sample": "dates-trained", "reduction": "no longer there"}))
    assert gone.selectbox(key=key_of(gone, "reduction")).value == "encoder_decoder"


def test_classifier_outlines_what_is_read_and_says_what_each_half_has_seen() -> None:
    app = sample("reviews-trained")
    batch = sample_batch("reviews-trained")
    _, mask, _ = heatmaps(app)
    read = np.arange(batch.shape[1]) == batch.lengths[:, None] - 1
    np.testing.assert_array_equal(mask, read)
    assert len([trace for trace in picture(app)["data"] if trace["name"] == "highlight"]) == 3
    select(app, 0, int(batch.lengths[0]) - 1)
    word = batch.input_token(int(batch.inputs[0, batch.lengths[0] - 1]))
    assert texts(app, "markdown")[0] == (
        f"## Sequence 0, timestep {batch.lengths[0] - 1}: label {batch.targets[0, 0]}, read “{word}”"
    )
    assert (
        f"The sequence is read here. Of a bidirectional LSTM, the forward half has seen all {batch.lengths[0]} "
        "timesteps, the backward half only one, the last."
    ) in texts(app, "caption")


def test_decoder_says_what_it_read() -> None:
    app = select(sample("dates-trained"), 0, 0)
    batch = sample_batch("dates-trained")
    target, read = batch.token(int(batch.targets[0, 0])), batch.input_token(int(batch.inputs[0, 0]))
    assert texts(app, "markdown")[0] == f"## Sequence 0, timestep 0: target {target}, read “{read}”"
    assert any("what the decoder read" in note["text"] for note in picture(app)["layout"]["annotations"])


def test_another_door_opens_with_the_mean() -> None:
    app = door(sample("reviews-trained"), "Type")
    assert app.selectbox(key=key_of(app, "reduction")).value == "mean"
    assert texts(app, "error") == []


def test_file_of_one_logit_opens_as_a_classifier() -> None:
    """2 · ln 2: the last timesteps of two sequences with logit 0."""
    arrays = {"logits": np.zeros((2, 3, 1)), "targets": np.ones((2, 3), int), "lengths": np.array([3, 2])}
    file = io.BytesIO()
    np.savez(file, **arrays)
    app = upload(door(sample("golden"), "Open"), a_npz=file.getvalue())
    assert (app.selectbox(key=key_of(app, "reduction")).value, number(app)) == ("classification", "1.3863")
    assert door(app, "Sample").selectbox(key=key_of(app, "reduction")).value == "mean"
