"""Your own sentences: what each model makes of typed text, what it does not know, and what can't be read."""

from typing import Any

import numpy as np
import pytest

from lossviz.errors import InputError
from lossviz.models.trained import STAGES as TRAINED_STAGES
from lossviz.models.trained import TRAINED, load_trained
from lossviz.ui.session.default_reduction import TRAINED_WITH
from lossviz.ui.sources.sentences import KINDS_OF_MODEL, STAGES, sentence_batch
from tests import oracle
from tests.ui.driver import address, choose, door, edit_length, go, key_of, number, open_app, run, shown, state, texts

TEXT = {
    "language-model": "The cat sat.\nWhy not?",
    "dates": "May 1998 -> 1998-05\n3 June 2001 -> 2001-06-03",
    "reviews": "I loved the film. -> praise\nIt was dull. -> blame",
}
EXAMPLES = {name: kind.example for name, kind in KINDS_OF_MODEL.items()}


def opened(name: str = "language-model", text: str | None = None, stage: str = "trained") -> Any:
    app = door(open_app(), "Model")
    if name != "language-model":
        choose(app, sentences_model=name)
    if stage != "trained":
        choose(app, sentences_stage=stage)
    return app if text is None else write(app, text)


def write(app: Any, text: str) -> Any:
    return run(app.text_area[0].set_value(text))


def expected(batch: Any, name: str) -> float:
    """The model's own reduction of its recorded logits, from 320-digit decimals."""
    logits = np.concatenate([np.zeros_like(batch.logits), batch.logits], 2) if name == "reviews" else batch.logits
    loss = oracle.losses(logits, batch.targets)
    steps, ends = np.arange(batch.shape[1]), batch.lengths[:, None]
    if name == "reviews":
        return float(loss[steps == ends - 1].sum())
    return float(loss[steps < ends].sum()) / (len(loss) if name == "dates" else 1)


def test_models_and_stages_are_those_that_are_shipped() -> None:
    assert list(KINDS_OF_MODEL) == list(TRAINED_WITH) == [trained.name for trained in TRAINED]
    assert tuple(STAGES) == TRAINED_STAGES


@pytest.mark.parametrize("name", TEXT)
def test_number_is_that_of_the_real_logits(name: str) -> None:
    app = opened(name, TEXT[name])
    batch = shown(app).batch
    assert texts(app, "error", "warning", "info") == []
    assert number(app) == f"{expected(batch, name):.4f}"
    assert app.selectbox(key=key_of(app, "reduction")).value == TRAINED_WITH[name]
    model = load_trained(name)
    if name == "reviews":
        again = model.record(["I loved the film.", "It was dull."], [1, 0])
    else:
        again = model.record([tuple(line.split(" -> ")) if " -> " in line else line for line in TEXT[name].split("\n")])
    np.testing.assert_array_equal(batch.logits, again.logits)
    np.testing.assert_array_equal(batch.targets, again.targets)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_opens_in_every_stage(name: str) -> None:
    """More training costs less, on what the model was trained to do."""
    values = [float(shown(opened(name, TEXT[name], stage)).value) for stage in STAGES]
    assert values[2] < values[1] < values[0]
    assert texts(opened(name), "error") == []


def test_unknown_words_are_named() -> None:
    assert texts(opened("reviews", "I foozled the “zyx” film. -> praise\nfoozled -> 0"), "info") == [
        "Unknown to the model and read as <unk>: “foozled”, “zyx”."
    ]
    assert texts(opened("dates", "May MMXX -> 2020-05"), "info") == ["Unknown to the model and read as <unk>: “MMXX”."]
    assert texts(opened(text="é a ü é"), "info") == ["Unknown to the model and read as <unk>: “é”, “ü”."]


def test_unknown_words_beyond_five_are_counted_no_further() -> None:
    _, remark = sentence_batch("language-model", "trained", "αβγδεζη")
    assert remark == "Unknown to the model and read as <unk>: “α”, “β”, “γ”, “δ”, “ε”, …"


def test_unknown_characters_that_nobody_sees_are_named() -> None:
    """A zero-width joiner of an emoji is no empty quotation, and a right-to-left override turns nothing round."""
    _, remark = sentence_batch("language-model", "trained", "a\u200db\u202ec")
    assert remark == "Unknown to the model and read as <unk>: “⟨U+200D⟩”, “⟨U+202E⟩”."


def test_date_alone_is_held_against_what_the_model_writes() -> None:
    batch, _ = sentence_batch("dates", "trained", "\n May 1998 \n")
    said = load_trained("dates").generate(["May 1998"])[0]
    assert "".join(batch.token(int(v)) for v in batch.targets[0, : batch.lengths[0] - 1]) == said


@pytest.mark.parametrize("label", ["praise", "Good.", "1"])
@pytest.mark.parametrize("arrow", ["->", "→", "  =>"])
def test_labels_and_arrows_have_several_forms(label: str, arrow: str) -> None:
    batch, _ = sentence_batch("reviews", "trained", f"The film was good{arrow}{label}")
    assert batch.targets.tolist() == [[1, 1, 1, 1]]


LABEL = "needs its label: write `-> praise` or `-> blame` after the review."
DATE = "must be a date, or a date and what it should become with one `->` between them; got"
REFUSED = [
    ("language-model", " \n ", "No sentence was typed. Write one per line."),
    ("language-model", "ok\n" + "a" * 256, "Line 2 has 256 characters; the model reads 255 at most. Shorten it."),
    ("language-model", "a\n" * 65, "At most 64 sentences make a batch here; got 65. Take some out."),
    ("dates", "May 1998 ->", f"Line 1 {DATE} “May 1998 ->”."),
    ("dates", "May 1998\n\n-> 1998", f"Line 3 {DATE} “-> 1998”."),
    ("dates", "a -> b -> c", f"Line 1 {DATE} “a -> b -> c”."),
    ("dates", "?!", "Line 1 has none of the model's words. Type some, or empty it."),
    ("dates", "May " * 65, "Line 1 has 65 words; the model reads 64 at most. Shorten it."),
    ("dates", "May -> " + "5 " * 65, "Line 1 has 65 words; the model reads 64 at most. Shorten it."),
    ("reviews", "good -> 1\nIt was good.", f"Line 2 {LABEL}"),
    ("reviews", "good -> fine", f"Line 1 {LABEL}"),
    ("reviews", "-> praise", f"Line 1 {LABEL}"),
    ("reviews", "!!! -> praise", "Line 1 has none of the model's words. Type some, or empty it."),
]


@pytest.mark.parametrize(("name", "text", "sentence"), REFUSED, ids=range(len(REFUSED)))
def test_text_that_cannot_be_read_is_one_sentence(name: str, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        sentence_batch(name, "trained", text)
    assert str(caught.value) == sentence


def test_too_long_review_is_refused_with_the_models_length() -> None:
    most = load_trained("reviews").max_length
    with pytest.raises(InputError) as caught:
        sentence_batch("reviews", "trained", "good " * (most + 1) + "-> praise")
    assert str(caught.value) == f"Line 1 has {most + 1} words; the model reads {most} at most. Shorten it."


def test_bad_text_keeps_the_last_batch_and_itself() -> None:
    app = opened("reviews", TEXT["reviews"])
    before = number(app)
    write(app, "no label")
    assert texts(app, "error") == [f"Line 1 {LABEL}"]
    assert "On screen: the last text that could be read." in texts(app, "caption")
    assert (number(app), app.text_area[0].value) == (before, "no label")
    write(door(door(app, "Sample"), "Model"), TEXT["reviews"])
    assert (texts(app, "error"), number(app)) == ([], before)


def test_nothing_typed_is_lost_by_looking_elsewhere() -> None:
    """Each model keeps its text and its edits; another page and another door leave them."""
    app = edit_length(opened("dates", "May 1998 -> 1998-05"), 0, 4)
    before = number(app)
    choose(app, sentences_model="reviews")
    write(app, TEXT["reviews"])
    choose(app, sentences_model="dates")
    assert (app.text_area[0].value, number(app)) == ("May 1998 -> 1998-05", before)
    go(door(door(app, "Sample"), "Model"), "Reductions")
    go(app, "Explore")
    assert (app.text_area[0].value, number(app), len(state(app).source.edits)) == ("May 1998 -> 1998-05", before, 1)
    assert choose(app, sentences_model="reviews").text_area[0].value == TEXT["reviews"]


def test_link_restores_model_stage_and_text() -> None:
    first = opened("reviews", TEXT["reviews"], stage="half-trained")
    second = open_app(view=address(first))
    assert [box.value for box in second.selectbox][:2] == ["reviews", "half-trained"]
    assert (second.text_area[0].value, number(second)) == (TEXT["reviews"], number(first))


def test_model_is_loaded_once_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typing again, and the other models in between, load nothing anew."""
    app = opened("reviews", TEXT["reviews"])
    monkeypatch.setattr("lossviz.models.trained.load_trained", lambda *_: pytest.fail("loaded again"))
    write(app, "It was great. -> praise")
    assert texts(app, "error") == []
