"""The language model on texts: its cells, training, generation, recording; and what its loss refuses."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossviz.errors import InputError
from lossviz.models import LanguageModel

CORPUS = ["the cat sat", "the dog sat", "a cat ran", "the cat ran", "a dog sat"]
INPUTS = np.array([[7, 8, 6, 3, 0], [5, 2, 0, 0, 0]])
OUTPUTS, MASK, LABELS = np.zeros((2, 5, 6), np.float32), np.sign(INPUTS), INPUTS


def small_model(**more: object) -> LanguageModel:
    keras.utils.set_random_seed(4)
    return LanguageModel(
        **{"vocab_size": 10, "max_length": 6, "num_lstm_units": 6, "num_lstm_layers": 2, "split": "words", **more}
    )


def known_model() -> LanguageModel:
    return small_model(tokens=["the", "cat", "sat"])


def weights_of(model: LanguageModel) -> np.ndarray:
    return np.concatenate([weight.ravel() for weight in map(np.asarray, model.get_weights())])


def test_stacked_lstm_cells_read_a_timestep_as_run_lstm_does() -> None:
    model = small_model()
    cells = model.stacked_lstm_cells(is_training=False)
    states, outputs = cells.get_initial_state(2), []
    for t in range(4):
        output, states = cells(model.get_input_embeddings(INPUTS[:, t]), states)
        outputs.append(np.asarray(output))
    expected = model.run_lstm(INPUTS)[0].numpy()
    np.testing.assert_allclose(np.stack(outputs, 1)[0], expected[0, :4], rtol=1e-5)
    np.testing.assert_allclose(np.stack(outputs, 1)[1, :2], expected[1, :2], rtol=1e-5)


def test_stacked_lstm_cells_drop_half_of_their_outputs_in_training() -> None:
    model = small_model(num_lstm_units=400, num_lstm_layers=1)
    dropped, calm = (
        np.asarray(cells(np.ones((1, 1), np.float32), cells.get_initial_state(1), training=is_training)[0])
        for is_training in (True, False)
        for cells in [model.stacked_lstm_cells(is_training)]
    )
    kept = dropped != 0
    assert 0.4 < kept.mean() < 0.6
    np.testing.assert_allclose(dropped[kept], 2 * calm[kept], rtol=1e-5)


def test_make_lstm_cell_makes_a_new_cell_of_that_keep_probability() -> None:
    model = small_model()
    cell = model.make_lstm_cell(0.25)
    assert (cell.output_keep_prob, cell.dropout.rate, cell.cell.units) == (0.25, 0.75, 6)
    assert all(cell.cell is not lstm.cell for lstm in model.lstms)


def test_get_input_embeddings_looks_ids_up() -> None:
    model = small_model(vocab_size=81)
    embeddings = model.get_input_embeddings(INPUTS)
    assert np.array_equal(embeddings, np.asarray(model.embedding.get_weights()[0])[INPUTS])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("compiled", [False, True])
def test_calculate_loss_of_random_batches_with_nan_in_the_padding(seed: int, compiled: bool) -> None:
    random = np.random.default_rng(seed)
    model, lengths = small_model(), random.integers(0, 6, 3)
    outputs, labels = random.normal(0, 30, (3, 5, 6)).astype(np.float32), random.integers(0, 10, (3, 5))
    mask = (np.arange(5) < lengths[:, None]).astype(np.int64)
    outputs[mask == 0], labels[mask == 0] = np.nan, -100
    kernel, bias = (np.asarray(weight, np.float64) for weight in model.logits_layer.get_weights())
    logits = outputs[mask == 1].astype(np.float64) @ kernel + bias
    top = logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(logits, labels[mask == 1][:, None], axis=-1)
    expected = float((top + np.log(np.exp(logits - top).sum(-1, keepdims=True)) - chosen).sum())
    calculate = tf.function(model.calculate_loss) if compiled else model.calculate_loss
    arrays = map(tf.constant, (outputs, mask, labels))
    assert float(calculate(*arrays)) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    by_hand = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels[mask == 1], logits=model.logits_layer(outputs[mask == 1])
    )
    assert float(tf.reduce_sum(by_hand)) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            (OUTPUTS[0], MASK, LABELS),
            "`lstm_outputs` must have shape [B, T, 6], as `run_lstm` gives it; got (5, 6).",
        ),
        (
            (OUTPUTS[..., :4], MASK, LABELS),
            "`lstm_outputs` must have shape [B, T, 6], as `run_lstm` gives it; got (2, 5, 4).",
        ),
        (
            (OUTPUTS, MASK, np.eye(10)[LABELS]),
            (
                "`output_sequences` must be sparse labels, class ids of rank 2, while the logits have rank 3: the "
                "cross entropy is the sparse one; got shape (2, 5, 10). Pass `output_sequences.argmax(-1)`."
            ),
        ),
        (
            (OUTPUTS, MASK, LABELS.T),
            "`output_sequences` must have shape (2, 5), the first two axes of `lstm_outputs`; got (5, 2).",
        ),
        ((OUTPUTS, MASK[:, :4], LABELS), "`binary_sequences` must have shape (2, 5), that of the labels; got (2, 4)."),
        ((OUTPUTS, MASK[0], LABELS), "`binary_sequences` must have shape (2, 5), that of the labels; got (5,)."),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_calculate_loss_refuses_shapes_that_do_not_fit(
    arrays: tuple[np.ndarray, ...], message: str, compiled: bool
) -> None:
    model = small_model()
    calculate = tf.function(model.calculate_loss, autograph=False) if compiled else model.calculate_loss
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        calculate(*map(tf.constant, arrays))


def test_calculate_loss_works_where_a_graph_does_not_know_the_shape() -> None:
    model = small_model()
    spec = [tf.TensorSpec([None, None, 6]), tf.TensorSpec([None, None], tf.int64), tf.TensorSpec([2, None], tf.int64)]
    calculate = tf.function(model.calculate_loss, input_signature=spec)
    value = float(calculate(OUTPUTS, MASK, LABELS))
    assert value == pytest.approx(float(model.calculate_loss(OUTPUTS, MASK, LABELS)), rel=1e-6)


def test_fit_learns_its_tokens_and_lowers_the_loss_the_same_way_twice() -> None:
    models = [small_model(num_lstm_units=16) for _ in range(2)]
    histories = [model.fit(CORPUS, seed=5, steps=30) for model in models]
    assert histories[0] == histories[1]
    assert np.array_equal(*map(weights_of, models))
    assert histories[0].losses[0] == pytest.approx(np.log(10), abs=0.05)
    assert histories[0].mean_of_last(5) < 1.9
    assert models[0].record(["a cat"]).vocabulary == (
        *("<pad>", "<unk>", "<bos>", "<eos>"),
        *("cat", "sat", "the", "a", "dog", "ran"),
    )


def test_fit_refuses_an_empty_corpus() -> None:
    with pytest.raises(InputError, match=r"^`corpus` must be a list of at least one string; got \[\]\.$"):
        known_model().fit([], seed=5, steps=1)


def test_fit_that_is_refused_learns_no_tokens() -> None:
    model = small_model()
    with pytest.raises(InputError, match=r"^`corpus\[0\]` must have at most 5 tokens, "):
        model.fit(["a b c d e f"], seed=5, steps=1)
    assert model.get_config()["tokens"] is None


def test_fit_goes_on_with_the_tokens_it_has() -> None:
    model = known_model()
    model.fit(CORPUS, seed=5, steps=1)
    assert model.get_config()["tokens"] == ["the", "cat", "sat"]


def test_fit_can_be_stopped_from_outside() -> None:
    told: list[tuple[int, int]] = []

    def on_step(done: int, total: int, _loss: float) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        known_model().fit(CORPUS, seed=5, steps=9, on_step=on_step)
    assert told == [(1, 9), (2, 9)]


def test_record_is_the_batch_that_the_loss_sees() -> None:
    model = known_model()
    batch = model.record(["The cat sat.", "a cat", ""])
    assert np.asarray(batch.inputs).tolist() == [[2, 4, 5, 6], [2, 1, 5, 0], [2, 0, 0, 0]]
    assert batch.targets.tolist() == [[4, 5, 6, 3], [1, 5, 3, 0], [3, 0, 0, 0]]
    assert np.asarray(batch.lengths).tolist() == [4, 3, 1]
    assert (batch.pad_id, batch.eos_id) == (0, 3)
    assert batch.vocabulary == (
        *("<pad>", "<unk>", "<bos>", "<eos>", "the", "cat", "sat"),
        *("<spare-7>", "<spare-8>", "<spare-9>"),
    )
    assert np.array_equal(batch.logits, model(batch.inputs))


def test_record_shows_a_space_as_a_sign() -> None:
    batch = small_model(tokens=["a", " "], split="characters").record(["a a"])
    assert [batch.token(int(token)) for token in batch.targets[0]] == ["a", "␣", "a", "<eos>"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "`texts` must be a list of at least one string; got []."),
        ("the cat", "`texts` must be a list of at least one string; got 'the cat'."),
        (
            ["the", "a b c d e f"],
            (
                "`texts[1]` must have at most 5 tokens, since the model reads 6 timesteps and one is the start; got 6. "
                "Cut it into two texts."
            ),
        ),
    ],
)
def test_record_refuses_texts_that_do_not_fit(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        known_model().record(texts)


def test_texts_need_tokens() -> None:
    for ask in (lambda model: model.record(["the"]), lambda model: model.generate("the", 2)):
        with pytest.raises(
            InputError, match=r"^The model knows no tokens yet\. Call `fit`, or make it with `tokens=`\.$"
        ):
            ask(small_model())


def test_language_model_refuses_more_tokens_than_ids() -> None:
    message = (
        "`tokens` must be at most 2, `vocab_size` without padding, unknown, start and stop; got 3. "
        "Pass fewer, or make the model with `vocab_size=7`."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model(vocab_size=6, tokens=["a", "b", "c"])


def test_generate_takes_the_likeliest_token_until_the_stop() -> None:
    model = small_model(num_lstm_units=16)
    model.fit(["the cat sat"], seed=5, steps=120)
    assert model.generate("The", 9) == "the cat sat"


def test_generate_reads_the_whole_prompt_for_each_token() -> None:
    model = small_model(tokens=["the", "cat", "sat"], num_lstm_units=40)
    ids = [2, 4, 6]
    for _ in range(3):
        ids.append(4 + int(np.asarray(model(np.array([ids])))[0, -1, 4:].argmax()))
    kernel, bias = model.logits_layer.get_weights()
    model.logits_layer.set_weights([kernel, bias - 99 * (np.arange(10) == 3)])  # it can't stop
    vocabulary = model.record(["the"]).vocabulary or ()
    assert model.generate("The sat", 3) == " ".join(vocabulary[index] for index in ids[1:])


def test_generate_never_says_padding_unknown_or_start() -> None:
    model = known_model()
    model.logits_layer.set_weights([np.zeros((6, 10)), np.array([9, 8, 7, 0, 0, 1, *[0] * 4])])
    assert model.generate("the", 2) == "the cat cat"


def test_generate_refuses_no_steps() -> None:
    with pytest.raises(InputError, match=r"^`steps` must be a whole number of at least 1; got 0\.$"):
        known_model().generate("the", 0)


def test_load_gives_the_model_back_with_its_tokens(tmp_path: Path) -> None:
    model = known_model()
    model.save(tmp_path / "model.keras")
    loaded = LanguageModel.load(tmp_path / "model.keras")
    assert np.array_equal(loaded.record(CORPUS).logits, model.record(CORPUS).logits)
    assert loaded.get_config() == model.get_config()
    assert loaded.generate("the", 3) == model.generate("the", 3)
