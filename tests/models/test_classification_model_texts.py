"""The classifier with texts: learning, saving, recording."""

import re
from pathlib import Path

import numpy as np
import pytest

from lossviz import Settings, analyze
from lossviz.errors import Cancelled, FormatError, InputError
from lossviz.models import ClassificationModel, LanguageModel
from lossviz.models._training import History, set_seed

CORPUS = [
    (f"{before}{text}", label)
    for before in ("", "well ", "so it was ")
    for text, label in [
        ("good", 1),
        ("bad", 0),
        ("not good", 0),
        ("not bad", 1),
        ("good not bad", 1),
        ("bad not good", 0),
    ]
]
TEXTS = ["Not good.", "Well, not bad!", "unheard-of"]


def small_model(**changes) -> ClassificationModel:
    set_seed(3)
    return ClassificationModel(**{"vocab_size": 81, "max_length": 6, "num_lstm_units": 8, **changes})


@pytest.fixture(scope="module")
def fitted() -> tuple[ClassificationModel, History]:
    model = small_model(num_lstm_units=16)
    return model, model.fit(CORPUS, seed=5, steps=300)


def test_fit_learns_a_tiny_corpus_whose_words_alone_do_not_tell(fitted: tuple[ClassificationModel, History]) -> None:
    """“good not bad” and “bad not good” have the same words and other labels."""
    model, history = fitted
    found = model.probabilities([text for text, _ in CORPUS]) > 0.5
    assert found.tolist() == [bool(label) for _, label in CORPUS]
    assert history.losses[0] == pytest.approx(np.log(2), abs=0.05)
    assert history.mean_of_last(10) < 0.2


def test_fit_learns_the_words_of_the_corpus_most_frequent_first(fitted: tuple[ClassificationModel, History]) -> None:
    assert fitted[0].tokenizer.vocabulary == ["<pad>", "<unk>", "bad", "good", "not", "it", "so", "was", "well"]


def test_fit_gives_the_same_weights_again_also_to_a_model_that_was_loaded(tmp_path: Path) -> None:
    model = small_model(tokens=["good", "bad", "not"])
    model.save(tmp_path / "model.keras")
    again = ClassificationModel.load(tmp_path / "model.keras")
    before = model.get_weights()[0]
    for each in (model, again):
        each.fit(CORPUS, seed=7, steps=3)
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), again.get_weights(), strict=True))
    assert not np.array_equal(before, model.get_weights()[0])


def test_fit_says_how_far_it_is_and_can_be_stopped() -> None:
    seen = []

    def stop(done: int, total: int, loss: float) -> None:
        seen.append((done, total, round(loss, 1)))
        if done == 2:
            raise Cancelled

    model = small_model(vocab_size=4)
    with pytest.raises(Cancelled):
        model.fit(CORPUS, seed=5, steps=4, on_step=stop)
    assert seen == [(1, 4, 0.7), (2, 4, 0.7)]
    assert model.tokenizer.vocabulary == ["<pad>", "<unk>", "bad", "good"]


def test_fit_of_no_text_is_refused() -> None:
    message = "`corpus` must hold at least one text to train on; got none."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model().fit([], seed=1, steps=1)


@pytest.mark.parametrize("backward_at", ["last_real", "first"])
def test_saved_model_comes_back_with_its_words_and_its_logits(tmp_path: Path, backward_at: str) -> None:
    model = small_model(backward_at=backward_at, tokens=["good", "bad", "not"])
    model.save(tmp_path / "model.keras")
    again = ClassificationModel.load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    assert again.tokenizer.tokens == ["good", "bad", "not"]
    assert np.array_equal(again.record(TEXTS, [1, 0, 1]).logits, model.record(TEXTS, [1, 0, 1]).logits)


def test_load_refuses_another_model(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    LanguageModel(vocab_size=16, max_length=3, num_lstm_units=2, num_lstm_layers=1).save(path)
    message = f"'{path}' holds a LanguageModel; expected a ClassificationModel."
    with pytest.raises(FormatError, match=f"^{re.escape(message)}$"):
        ClassificationModel.load(path)


def test_record_is_the_padded_batch_that_the_loss_saw(fitted: tuple[ClassificationModel, History]) -> None:
    model, labels = fitted[0], [0, 1, 1]
    batch = model.record(TEXTS, labels)
    assert batch.inputs.tolist() == [[4, 3, 0], [8, 4, 2], [1, 0, 0]]
    assert batch.lengths.tolist() == [2, 3, 1]
    assert batch.targets.tolist() == [[0] * 3, [1] * 3, [1] * 3]
    assert [batch.input_token(int(v)) for v in batch.inputs[1]] == ["well", "not", "bad"]
    assert (batch.shape, batch.logits.dtype, batch.pad_id, batch.vocabulary) == ((3, 3, 1), np.float32, None, None)


@pytest.mark.parametrize("backward_at", ["last_real", "first"])
def test_analysis_of_a_record_is_the_loss_of_the_model(backward_at: str) -> None:
    model = small_model(backward_at=backward_at, tokens=["good", "bad", "not", "well"])
    ids, labels = model.ids(TEXTS), [0, 1, 1]
    outputs, lengths = model.run_lstm(ids)
    a = analyze(model.record(TEXTS, labels), Settings(reduction="classification"))
    assert a.value == pytest.approx(float(model.calculate_loss(outputs, 3, lengths, labels)), rel=1e-6)
    read = a.batch.logits[np.arange(3), a.batch.lengths - 1, 0]
    np.testing.assert_allclose(model.probabilities(TEXTS), 1 / (1 + np.exp(-read.astype(float))), rtol=1e-6)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda model: model.record(TEXTS, [1]),
            "`labels` must be one for each of the 3 texts; got 1.",
        ),
        (
            lambda model: model.ids(["good", " … "]),
            "`texts` must have 1 to 6 words each; text 1 has 0. Leave it out.",
        ),
        (
            lambda model: model.ids(["a b c d e f g"]),
            "`texts` must have 1 to 6 words each; text 0 has 7. Shorten it.",
        ),
        (
            lambda _: small_model().ids(["good"]),
            "The model has no words yet. Make it with `tokens=`, or `fit` it first.",
        ),
        (
            lambda _: small_model(vocab_size=3, tokens=["good", "bad"]),
            (
                "`tokens` must be 1 to 1 words, for ids 0 and 1 are padding and unknown words; got 2. "
                "Make the model with `vocab_size=4`."
            ),
        ),
    ],
)
def test_classification_model_refuses_texts_that_it_cannot_read(ask: object, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ask(small_model(tokens=["good", "bad"]))
