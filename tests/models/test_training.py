"""What the models share: the loop, the tokenizer, padding."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossviz.errors import InputError
from lossviz.models._training import History, Tokenizer, check_size, learn_tokens, pad_rows, train
from sample_data import alice

POINTS = np.arange(8, dtype=np.float32).reshape(8, 1)


class Line(keras.Model):
    """y = w · x, with half of x dropped in training."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        self.dropout = keras.layers.Dropout(0.5)
        self.dense.build((None, 1))
        self.seen: list[int] = []

    def squares(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, int]:
        self.seen.append(1)
        return tf.reduce_sum((self.dense(self.dropout(x, training=True)) - y) ** 2), x.shape[0]


def fit(model: Line, seed: int = 3, **options: object) -> History:
    return train(model, model.squares, (POINTS, POINTS), **{"seed": seed, "steps": 5, "rows": 3, **options})


def test_train_gives_the_same_weights_for_the_same_seed() -> None:
    first, second, other = Line(), Line(), Line()
    histories = fit(first), fit(second), fit(other, seed=4)
    assert histories[0] == histories[1] != histories[2]
    assert first.dense.get_weights() == second.dense.get_weights() != other.dense.get_weights()


def test_train_reports_each_step_and_the_mean_loss_of_its_rows() -> None:
    told: list[tuple[int, int, float]] = []
    history = fit(Line(), on_step=lambda *step: told.append(step))
    rows = np.random.default_rng(3).permutation(8)[:3]
    assert told == [(done, 5, loss) for done, loss in zip(range(1, 6), history.losses, strict=True)]
    assert history.losses[0] == pytest.approx(np.mean(POINTS[rows] ** 2), rel=1e-6)  # the weight is 0


def test_train_falls_along_a_cosine_to_nothing() -> None:
    """Adam moves a weight by about its rate, and the last of many steps by next to nothing."""
    model, weights = Line(), [0.0]
    fit(model, steps=40, rate=0.01, on_step=lambda *_: weights.append(float(model.dense.get_weights()[0][0, 0])))
    moves = np.abs(np.diff(weights))
    assert moves[0] == pytest.approx(0.01, rel=1e-4)
    assert moves[-1] < 1e-4


def test_train_traces_its_step_once() -> None:
    model = Line()
    fit(model, steps=7)
    assert model.seen == [1]


def test_train_stops_where_on_step_raises_and_keeps_what_was_learned() -> None:
    model = Line()

    def stop(done: int, _total: int, _loss: float) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, on_step=stop)
    kept = float(model.dense.get_weights()[0][0, 0])
    assert 0 < kept < 0.021


def test_train_reads_every_row_before_one_comes_again() -> None:
    seen: list[float] = []

    def first_column(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, int]:
        return tf.reduce_sum(y) + 0 * tf.reduce_sum(model.dense(x)), 1

    model = Line()
    train(
        model, first_column, (POINTS, POINTS), seed=1, steps=8, rows=1, on_step=lambda _d, _t, loss: seen.append(loss)
    )
    assert sorted(seen) == list(range(8))


def test_train_reads_all_rows_where_there_are_fewer_than_a_minibatch() -> None:
    assert fit(Line(), steps=1, rows=100).losses == (pytest.approx(np.mean(POINTS**2)),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` must be a whole number of at least 1; got 0."),
        ({"rows": 1.5}, "`rows` must be a whole number of at least 1; got 1.5."),
        ({"seed": -1}, "`seed` must be a whole number in [0, 2³²); got -1."),
        ({"seed": 2**32}, "`seed` must be a whole number in [0, 2³²); got 4294967296."),
    ],
)
def test_train_refuses_numbers_out_of_range(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fit(Line(), **options)


def test_train_refuses_an_empty_corpus() -> None:
    model = Line()
    with pytest.raises(InputError, match=r"^`corpus` must hold at least one text to train on; got none\.$"):
        train(model, model.squares, (POINTS[:0], POINTS[:0]), seed=1, steps=1)


def test_history_means_its_last_losses() -> None:
    assert History((4.0, 1.0, 3.0)).mean_of_last(2) == 2.0
    assert np.isnan(History(()).mean_of_last(2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'Tut, tut, child!' said the Duchess.", ["tut", "tut", "child", "said", "the", "duchess"]),
        ("isn’t it--'well,' -- bread-and-butter", ["isn't", "it", "well", "bread-and-butter"]),
        ("ÉTÉ 1865 <eos>", ["été", "1865", "eos"]),
        ("", []),
    ],
)
def test_tokenizer_takes_words_without_what_stands_around_them(text: str, words: list[str]) -> None:
    tokenizer = Tokenizer(["hare", *sorted(set(words))], "words")
    assert tokenizer.ids([text]) == [[tokenizer.vocabulary.index(word) for word in words]]
    assert tokenizer.text(tokenizer.ids([text])[0]) == " ".join(words)


def test_tokenizer_finds_the_words_of_the_alice_samples() -> None:
    sentences = alice.sentences()
    tokens = learn_tokens([" ".join(sentence) for sentence in sentences], "words", alice.VOCAB_SIZE - 4)
    assert tokens == alice.vocabulary()[4:]


def test_tokenizer_takes_characters_as_they_stand() -> None:
    tokenizer = Tokenizer(["a", "A", " "], "characters")
    assert tokenizer.ids(["A a", "é", ""]) == [[3, 4, 2], [1], []]
    assert tokenizer.text([3, 4, 2, 1, 0]) == "A a<unk>"


def test_tokenizer_of_no_texts_gives_no_rows() -> None:
    assert Tokenizer(["a"], "words").ids([]) == []


def test_tokenizer_takes_half_a_character_for_an_unknown_one() -> None:
    assert Tokenizer(["a"], "characters").ids(["a\ud800"]) == [[2, 1]]


def test_tokenizer_refuses_what_is_no_string() -> None:
    with pytest.raises(InputError, match=r"^Text 1 must be a string; got a int\.$"):
        Tokenizer(["a"], "words").ids(["a", 2])  # type: ignore[list-item]


def test_tokenizer_refuses_an_unknown_split() -> None:
    message = "`split` must be one of 'words', 'words and digits', 'characters'; got 'word'. Did you mean 'words'?"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Tokenizer(["a"], "word")


def test_learn_tokens_breaks_ties_by_the_alphabet() -> None:
    assert learn_tokens(["b a c", "c"], "words") == ["c", "a", "b"]
    assert learn_tokens(["ba b"], "characters", 2) == ["b", " "]


@pytest.mark.parametrize("texts", [[], [""], ["--", "!"]])
def test_learn_tokens_finds_none_where_there_are_none(texts: list[str]) -> None:
    assert learn_tokens(texts, "words") == []


@pytest.mark.parametrize(
    ("rows", "width", "padded"),
    [([[1, 2], []], None, [[1, 2], [0, 0]]), ([[1]], 3, [[1, 0, 0]]), ([[]], None, [[]])],
)
def test_pad_rows_fills_up_with_zeros(rows: list[list[int]], width: int | None, padded: list[list[int]]) -> None:
    ids = pad_rows(rows, width)
    assert ids.tolist() == padded
    assert ids.dtype == np.int64


def test_check_size_gives_an_int() -> None:
    assert type(check_size("steps", np.int64(3))) is int
