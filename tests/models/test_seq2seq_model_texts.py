"""The encoder-decoder on texts: it learns, writes, is saved, and records the batch that its loss saw."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossviz.batch import Batch
from lossviz.errors import FormatError, InputError
from lossviz.models import LanguageModel, Seq2SeqModel
from lossviz.models._training import set_seed

TOKENS = ["may", "june", "-", "0", "5", "6"]
TINY = [("may", "05"), ("june", "06"), ("the may of june", "05-06"), ("may may", "0-5")]


def new_model(seed: int = 3, **sizes: Any) -> Seq2SeqModel:
    set_seed(seed)
    return Seq2SeqModel(**{"vocab_size": 12, "num_lstm_layers": 1, "num_lstm_units": 16, "tokens": TOKENS, **sizes})


@pytest.fixture(scope="module")
def learned() -> Seq2SeqModel:
    model = new_model(tokens=None)
    model.fit(TINY, seed=3, steps=150)
    return model


def masked_loss(batch: Batch) -> float:
    """Σ of the cross entropy of every real timestep, divided by the sequences, in float64."""
    assert batch.lengths is not None
    total = 0.0
    for x, y, n in zip(np.asarray(batch.logits, np.float64), batch.targets, batch.lengths, strict=True):
        total += sum(np.log(np.exp(x[t]).sum()) - x[t, y[t]] for t in range(n))
    return total / len(batch.targets)


def test_fit_learns_a_tiny_corpus(learned: Seq2SeqModel) -> None:
    assert learned.generate([source for source, _ in TINY]) == [target for _, target in TINY]
    assert masked_loss(learned.record(TINY)) < 0.2


def test_fit_learns_the_vocabulary_of_both_sides_the_most_frequent_first(learned: Seq2SeqModel) -> None:
    named = ["<pad>", "<unk>", "0", "may", "5", "-", "6", "june", "of", "the"]
    assert learned.vocabulary == [*named, "<spare 10>", "<spare 11>", "<start>", "<stop>"]


def test_fit_of_the_same_seed_gives_the_same_weights_and_tells_the_mean_loss_of_a_timestep() -> None:
    """An untrained model guesses: ln 14 for the 14 classes."""
    models, seen = [new_model(), new_model()], []
    history = models[0].fit(TINY, seed=5, steps=3, on_step=lambda *step: seen.append(step))
    assert models[1].fit(TINY, seed=5, steps=3) == history
    assert all(map(np.array_equal, models[0].get_weights(), models[1].get_weights()))
    assert seen == [(done, 3, loss) for done, loss in enumerate(history.losses, start=1)]
    assert history.losses[0] == pytest.approx(np.log(14), abs=0.02)


def test_fit_of_nothing_learns_no_vocabulary() -> None:
    model = new_model(tokens=None)
    with pytest.raises(InputError):
        model.fit([], seed=1, steps=1)
    assert model.tokenizer is None


def test_fit_stops_when_on_step_raises() -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int, loss: float) -> None:
        if done == 2:
            raise StoppedError

    model, same = new_model(), new_model()
    with pytest.raises(StoppedError):
        model.fit(TINY, seed=3, steps=50, on_step=stop)
    assert not all(map(np.array_equal, model.get_weights(), same.get_weights()))
    assert len(model.generate(["may"])) == 1


def test_save_and_load_keep_everything(learned: Seq2SeqModel, tmp_path: Path) -> None:
    learned.save(tmp_path / "dates.keras")
    again = Seq2SeqModel.load(tmp_path / "dates.keras")
    assert again.get_config() == learned.get_config()
    assert again.vocabulary == learned.vocabulary
    assert np.array_equal(again.record(TINY).logits, learned.record(TINY).logits)


def test_save_and_load_keep_a_model_without_tokens_and_with_two_layers(tmp_path: Path) -> None:
    model = new_model(tokens=None, num_lstm_layers=2)
    model.save(tmp_path / "empty.keras")
    again = Seq2SeqModel.load(tmp_path / "empty.keras")
    assert again.tokenizer is None
    assert all(map(np.array_equal, again.get_weights(), model.get_weights()))


def test_load_refuses_another_model(tmp_path: Path) -> None:
    LanguageModel(9, 5, num_lstm_units=2, num_lstm_layers=1).save(tmp_path / "other.keras")
    with pytest.raises(FormatError, match=r"holds a LanguageModel; expected a Seq2SeqModel\.$"):
        Seq2SeqModel.load(tmp_path / "other.keras")


def test_generate_writes_the_likeliest_token_after_each_other() -> None:
    """Step by step with the states gives what reading all of it again at each step gives."""
    model, sources = new_model(), np.array([[2, 3, 2, 1], [3, 0, 0, 0]])
    model.set_weights([weight * 8 for weight in model.get_weights()])
    read = np.full((2, 1), model.start_id)
    for _ in range(9):
        scores = model((sources, read)).numpy()[:, -1]
        scores[:, [0, model.start_id]] = -np.inf
        read = np.concatenate([read, scores.argmax(axis=1)[:, None]], axis=1)
    rows = [row[1 : row.index(13) if 13 in row else None] for row in read.tolist()]
    texts = [" ".join(model.vocabulary[index] for index in row) for row in rows]
    assert model.generate(["may june may august", "june"], at_most=9) == [
        re.sub(r"(?<=[\d-]) (?=[\d-])", "", text) for text in texts
    ]


def test_generate_writes_at_most_so_many_tokens_and_never_padding_or_start() -> None:
    model = new_model()
    bias = np.zeros(14, np.float32)
    bias[[0, 12, 6]] = 100, 99, 98
    model.logits_layer.set_weights([model.logits_layer.get_weights()[0], bias])
    assert model.generate(["may", ""], at_most=3) == ["555", "555"]
    assert model.generate([]) == []


def test_record_is_the_padded_batch_of_the_loss(learned: Seq2SeqModel) -> None:
    batch = learned.record(TINY[:3], title="Dates")
    words = [[batch.token(index) for index in row] for row in batch.targets]
    read = [[batch.token(index) for index in row] for row in np.asarray(batch.inputs)]
    assert words[0] == ["0", "5", "<stop>", "<pad>", "<pad>", "<pad>"]
    assert read[0] == ["<start>", "0", "5", "<pad>", "<pad>", "<pad>"]
    assert words[2] == ["0", "5", "-", "0", "6", "<stop>"]
    assert read[2] == ["<start>", "0", "5", "-", "0", "6"]
    assert np.asarray(batch.lengths).tolist() == [3, 3, 6]
    assert (batch.shape, batch.pad_id, batch.eos_id, batch.title) == ((3, 6, 14), 0, 13, "Dates")
    value = float(learned.calculate_loss(batch.logits, batch.lengths, batch.targets, 3))
    assert value == pytest.approx(masked_loss(batch), rel=1e-5)


def test_record_of_a_source_alone_says_what_the_model_would_write(learned: Seq2SeqModel) -> None:
    alone, pair = learned.record(["may", ("june", "05")]), learned.record([("may", "05"), ("june", "05")])
    assert np.array_equal(alone.targets, pair.targets)
    assert np.array_equal(alone.logits, pair.logits)


def test_record_reads_unknown_words_and_no_words_at_all(learned: Seq2SeqModel) -> None:
    batch = learned.record([("august", "07"), ("", "")])
    assert batch.targets.tolist() == [[2, 1, 13], [13, 0, 0]]
    assert np.isfinite(batch.logits).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.record([]), "`texts` must hold at least one text; got none."),
        (lambda model: model.fit([], seed=1, steps=1), "`corpus` must hold at least one text to train on; got none."),
        (
            lambda model: model.fit(["may"], seed=1, steps=1),
            "`corpus` must hold pairs of strings, (source, target); entry 0 is 'may'.",
        ),
        (
            lambda model: model.fit([("may", "05"), ("june", 6)], seed=1, steps=1),
            "`corpus` must hold pairs of strings, (source, target); entry 1 is ('june', 6).",
        ),
        (
            lambda model: model.fit("may", seed=1, steps=1),
            "`corpus` must hold pairs of strings, (source, target); got one string. Pass a list.",
        ),
        (
            lambda model: model.fit([("may", None)], seed=1, steps=1),
            "`corpus` must hold pairs of strings, (source, target); entry 0 is ('may', None).",
        ),
        (
            lambda model: model.record("may"),
            "`texts` must hold pairs of strings, (source, target), or sources; got one string. Pass a list.",
        ),
        (
            lambda model: model.record(["may", 5]),
            "`texts` must hold pairs of strings, (source, target), or sources; entry 1 is 5.",
        ),
        (
            lambda model: model.generate("may"),
            "`texts` must be a list of strings; got one string. Pass `[text]`.",
        ),
        (
            lambda _: new_model(vocab_size=1, tokens=[]),
            "`vocab_size` must be at least 2 to read texts: padding and the unknown token; got 1.",
        ),
        (lambda model: model.fit(TINY, seed=1, steps=0), "`steps` must be a whole number of at least 1; got 0."),
        (
            lambda model: model.generate(["may"], at_most=0),
            "`at_most` must be a whole number of at least 1; got 0.",
        ),
        (
            lambda _: new_model(tokens=[str(index) for index in range(11)]),
            (
                "`tokens` must be at most 10, for ids 0 and 1 are padding and unknown tokens; got 11. "
                "Make the model with `vocab_size=13`."
            ),
        ),
        (
            lambda _: new_model(tokens=None).record(["may"]),
            "The model has no tokens yet. Make it with `tokens=`, or `fit` it first.",
        ),
    ],
)
def test_seq2seq_model_refuses_texts_that_do_not_fit(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call(new_model())
