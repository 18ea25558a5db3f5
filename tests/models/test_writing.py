"""Writing from which nothing is left out: the classes that `generate` never says may be said."""

import keras
import numpy as np
import pytest

from lossviz.models import LanguageModel, Seq2SeqModel, as_text
from lossviz.models.writing import greedy_writer, sampling_writer

PAD, START, STOP = 0, 2, 3


def language_model(layers: int) -> LanguageModel:
    keras.utils.set_random_seed(4)
    return LanguageModel(9, 6, num_lstm_units=6, num_lstm_layers=layers, tokens=["the", "cat", "sat"])


def biased(model: LanguageModel | Seq2SeqModel, **classes: float) -> None:
    """Make some classes likely, whatever the model has read."""
    kernel, bias = model.logits_layer.get_weights()
    bias[:] = 0
    for name, score in classes.items():
        bias[int(name[1:])] = score
    model.logits_layer.set_weights([np.zeros_like(kernel), bias])


@pytest.mark.parametrize("layers", [1, 2])
def test_generate_of_one_layer_and_of_two_continues_as_the_whole_sequence_is_read(layers: int) -> None:
    """The likeliest next token each time, from reading the text anew instead of keeping the state."""
    model = language_model(layers)
    said, inputs = [4], [2, 4]
    while len(said) < 4:
        scores = model(np.array([inputs])).numpy()[0, -1]
        token = int(3 + scores[3:].argmax())
        if token == 3:
            break
        said.append(token)
        inputs.append(token)
    assert model.generate("the", 3) == " ".join(model._texts.vocabulary[token] for token in said)


def test_sampling_draws_by_the_cumulated_probabilities_of_what_was_read() -> None:
    model, uniforms = language_model(2), np.random.default_rng(0).random((4, 4))
    texts = sampling_writer(model)(uniforms)
    for row, text in enumerate(texts):
        inputs = [START]
        for step, token in enumerate(text):
            scores = model(np.array([[max(read, 1) for read in inputs]])).numpy()[0, -1].astype(np.float64)
            chances = np.exp(scores) / np.exp(scores).sum()
            assert chances[:token].sum() <= uniforms[row, step] < chances[: token + 1].sum() + 1e-12
            inputs.append(token)
            if token == PAD:
                break  # `run_lstm` takes padding for the end
        assert STOP not in text[:-1]
        assert text[-1] == STOP or len(text) == 4


def test_sampling_may_say_padding_and_ends_with_the_stop() -> None:
    model = language_model(1)
    biased(model, _0=50.0)
    assert sampling_writer(model)(np.full((1, 3), 0.5)) == [[PAD, PAD, PAD]]
    biased(model, _2=50.0)
    assert sampling_writer(model)(np.full((1, 2), 0.5)) == [[START, START]]
    biased(model, _3=50.0)
    assert sampling_writer(model)(np.full((2, 3), 0.5)) == [[STOP], [STOP]]
    biased(model)
    assert sampling_writer(model)(np.array([[0.0], [0.5], [1 - 1e-12]])) == [[0], [4], [8]]


def test_greedy_writing_may_say_padding_and_the_start_and_is_generate_where_it_does_not() -> None:
    keras.utils.set_random_seed(1)
    model = Seq2SeqModel(vocab_size=5, num_lstm_layers=2, num_lstm_units=4, tokens=["2", "0", "-"])
    write, (kernel, bias) = greedy_writer(model), model.logits_layer.get_weights()
    for said in (PAD, model.start_id):
        biased(model, **{f"_{said}": 50.0})
        assert write([[2, 3], [4]], 3) == [[said] * 3] * 2
    biased(model, **{f"_{model.stop_id}": 50.0})
    assert write([[2, 3], [4]], 3) == [[model.stop_id]] * 2
    bias[[PAD, model.start_id]] = -50
    model.logits_layer.set_weights([kernel * 8, bias])
    [ids] = write(model.tokenizer.ids(["2 0 - 0"]), 12)
    words = [model.vocabulary[token] for token in ids if token != model.stop_id]
    assert model.generate(["2 0 - 0"], at_most=12) == [as_text(words)]
    assert len(ids) > 2
