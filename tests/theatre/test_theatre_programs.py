"""The programs of the theatre: one changed line each, and the number of that line, from the definition in float64."""

import numpy as np
import pytest
import tensorflow as tf

from lossviz.theatre import ACTS, BUGS, Settings, code
from lossviz.theatre.programs import characters, dates, reviews

PAIRS = [(model, bug) for model, bugs in BUGS.items() for bug in bugs]
B, T, V = 8, 5, 7
SPACE, STOP = 4, 6
RANDOM = np.random.default_rng(1)
LOGITS = RANDOM.normal(0, 3, (B, T, V)).astype(np.float32)
LENGTHS = np.array([1, 2, 2, 3, 3, 4, 4, 5])
INSIDE = np.arange(T) < LENGTHS[:, None]
TOKENS = np.where(INSIDE, RANDOM.integers(1, V, (B, T)), 0)
TOKENS[2, 0], TOKENS[7, 1], TOKENS[4, 2] = SPACE, SPACE, STOP
READ = np.where(INSIDE, RANDOM.integers(1, V, (B, T)), 0)


class Model:
    """Answers with the logits, whatever it reads."""

    stop_id = STOP

    def __call__(self, _inputs):
        return tf.constant(LOGITS)


def losses(targets):
    """The cross entropy [B, T] of these targets."""
    x = LOGITS.astype(np.float64)
    return np.log(np.exp(x).sum(-1)) - np.take_along_axis(x, targets[..., None], -1)[..., 0]


def mean(counts, targets=TOKENS):
    return (losses(targets) * counts).sum() / counts.sum()


def oracle(name):
    """What each program must print, from its definition."""
    sums, counts = (losses(TOKENS) * INSIDE).sum(1), INSIDE.sum(1)  # eight micro-batches of a row each
    return {
        "right": mean(INSIDE),
        "no-mask": losses(TOKENS).mean(),
        "padding-divides": sums.sum() / (B * T),
        "space-is-pad": mean(INSIDE & (TOKENS != SPACE)),
        "stop-is-pad": mean(INSIDE & (TOKENS != STOP)),
        "not-shifted": mean(INSIDE, READ),
        "mean-of-means": (sums / counts).mean(),
        "mask-inverted": mean(~INSIDE),
    }[name]


@pytest.mark.parametrize(("model", "bug"), PAIRS)
def test_theatre_programs_differ_from_the_right_one_in_one_line(model, bug):
    shown = code(Settings(model, bug))
    assert len(shown.right) == len(shown.wrong)
    changed = [place for place, pair in enumerate(zip(shown.right, shown.wrong, strict=True)) if pair[0] != pair[1]]
    assert changed == [shown.changed]
    assert shown.right[0].startswith("def loss(model, ")
    assert all('"""' not in line and "noqa" not in line for line in (*shown.right, *shown.wrong))
    assert shown.difference.endswith(".")
    assert max(map(len, shown.wrong)) <= 90  # what half a screen shows


def test_theatre_programs_show_the_line_of_each_act():
    lines = {}
    for settings in (settings for act in ACTS for settings in act.settings):
        shown = code(settings)
        lines[settings.bug] = (shown.right[shown.changed].strip(), shown.wrong[shown.changed].strip())
    mean_of_all = "return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)"
    assert lines == {
        "stop-is-pad": ("pad_id = PAD", "pad_id = model.stop_id"),
        "no-mask": ("mask = tf.cast(targets != pad_id, tf.float32)", "mask = tf.ones_like(losses)"),
        "padding-divides": (mean_of_all, "return tf.reduce_mean(losses * mask)"),
        "space-is-pad": ("pad_id = PAD", "pad_id = SPACE"),
        "not-shifted": (
            "targets = padded(next_tokens, lengths, pad_id)",
            "targets = padded(inputs, lengths, pad_id)",
        ),
        "mean-of-means": (mean_of_all, "return tf.reduce_mean(in_eight(losses * mask) / in_eight(mask))"),
        "mask-inverted": (
            "mask = tf.cast(targets != pad_id, tf.float32)",
            "mask = tf.cast(targets == pad_id, tf.float32)",
        ),
        "last-column": (
            "read = tf.concat([at(forward, lengths - 1), backward[:, 0]], axis=-1)",
            "read = tf.concat([forward[:, -1], backward[:, -1]], axis=-1)",
        ),
    }


@pytest.mark.parametrize("name", ["right", *BUGS["characters"]])
def test_theatre_programs_of_the_characters_print_what_their_line_says(name):
    program = getattr(characters, name.replace("-", "_"))
    printed = program(Model(), None, tf.constant(TOKENS), tf.constant(LENGTHS))
    assert float(printed) == pytest.approx(oracle(name), rel=1e-6)


@pytest.mark.parametrize("name", ["right", *BUGS["dates"]])
def test_theatre_programs_of_the_dates_print_what_their_line_says(name):
    program = getattr(dates, name.replace("-", "_"))
    printed = program(Model(), None, tf.constant(READ), tf.constant(TOKENS), tf.constant(LENGTHS))
    assert float(printed) == pytest.approx(oracle(name), rel=1e-6)


def test_theatre_programs_of_the_reviews_read_where_their_line_says():
    outputs = RANDOM.normal(0, 2, (2, B, T, 3)).astype(np.float32)
    labels = RANDOM.integers(0, 2, (B, 1)).astype(np.float32)

    class Classifier:
        def run_lstm(self, _ids):
            return tuple(map(tf.constant, outputs)), None

        def logits_layer(self, read):
            return tf.reduce_sum(read, axis=-1, keepdims=True)

    forward, backward = outputs.astype(np.float64).sum(-1)
    rows = np.arange(B)
    for program, logits in (
        (reviews.right, forward[rows, LENGTHS - 1] + backward[:, 0]),
        (reviews.last_column, forward[:, -1] + backward[:, -1]),
    ):
        expected = np.logaddexp(0, np.where(labels[:, 0] == 1, -1, 1) * logits).mean()
        assert float(program(Classifier(), None, labels, tf.constant(LENGTHS))) == pytest.approx(expected, rel=1e-6)
