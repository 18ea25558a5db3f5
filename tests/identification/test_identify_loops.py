"""Evaluation steps as people write them in PyTorch, Keras, TensorFlow and NumPy are named by what they print."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch, Settings, analyze
from lossviz.identification import identify
from tests.identification import loops_keras, loops_numpy, loops_torch
from tests.identification.loop_batches import Loop, drawn, recorded

LOOPS = [value for module in (loops_torch, loops_keras, loops_numpy) for value in vars(module).values()]
LOOPS = [value for value in LOOPS if isinstance(value, Loop)]
BATCHES = {
    "dates": recorded("dates-half-trained"),
    "pad id inside": drawn(8, 12, 17, 40, pads_inside=True),
    "prompts": drawn(11, 8, 20, 40, prompted=True),
}


def options_of(loop, given):
    return {
        name: loops_torch.weights_of(given) if value == "weights" else value for name, value in loop.options.items()
    }


def place_of(loop, matches):
    """Where the first answer with one of the loop's codes stands; None: nowhere."""
    named = [{match.code, *match.codes, *match.aliases} for match in matches]
    return next((place for place, codes in enumerate(named) if codes & loop.codes), None)


def places(given, text_of, loops=LOOPS):
    """By each loop's name where its code stands among the answers to what it prints."""
    analysis, answers, found = analyze(given.batch), {}, {}
    for loop in loops:
        if loop.needs(given):
            text, options = text_of(float(loop.run(given))), options_of(loop, given)
            asked = (text, str(options))  # many loops print the same number
            answers[asked] = answers.get(asked) or identify(analysis, text, **options)
            found[loop.name] = place_of(loop, answers[asked])
    return found


@pytest.mark.parametrize("name", BATCHES)
def test_identify_names_what_a_loop_does_first(name):
    found = places(BATCHES[name], lambda number: f"{number:.5f}")
    assert len(found) > 80
    assert {loop: place for loop, place in found.items() if place != 0} == {}


def test_identify_names_a_loop_with_every_way_to_print_it():
    """Three digits, as a progress bar shows them, and all that `loss.item()` has."""
    torch_only = [loop for loop in LOOPS if loop.run.__module__ == loops_torch.__name__]
    bar, item = (places(drawn(1, 4, 6, 9), style, torch_only) for style in ("{:.3g}".format, repr))
    assert set(item.values()) == {0}
    assert (None in bar.values(), np.mean([place < 5 for place in bar.values()]) > 0.9) == (False, True)


@pytest.mark.parametrize(("decimals", "most"), [(3, 4), (5, 0)])
def test_identify_numbers_that_no_loop_printed_are_seldom_found(decimals, most):
    """Of forty numbers; chance is said to be likely where few digits agree."""
    analysis = analyze(BATCHES["pad id inside"].batch)
    numbers = np.exp(np.random.default_rng(0).uniform(np.log(0.2), np.log(9.0), 40))
    found = [identify(analysis, f"{number:.{decimals}f}") for number in numbers]
    sure = [matches[0].explanation for matches in found if matches and not matches[0].accidental]
    assert len(sure) <= most


def reviews():
    """Logits and labels [B, T] of a classifier, lengths [B], and the analysis that reads the last timesteps."""
    given = recorded("reviews-half-trained")
    analysis = analyze(given.batch, Settings(reduction="classification"))
    return torch.tensor(given.logits[..., 0]), torch.tensor(given.targets).float(), given.lengths, analysis


def test_identify_names_what_a_classifiers_loop_reads():
    x, y, lengths, analysis = reviews()
    losses = torch.nn.BCEWithLogitsLoss(reduction="none")(x, y).numpy()
    twice = torch.nn.BCEWithLogitsLoss(reduction="none")(torch.sigmoid(x), y).numpy()
    unread = np.asarray(
        tf.keras.losses.BinaryCrossentropy(reduction="none")(y.numpy()[..., None], x.numpy()[..., None])
    )
    rows, until = np.arange(len(lengths)), np.arange(x.shape[1]) < lengths[:, None]
    printed = {
        "classification": losses[rows, lengths - 1].sum(),
        "C03": losses[rows, lengths - 1].mean(),
        "PAD01": losses.mean(),
        "MOD01": twice[rows, lengths - 1].mean(),
        "MOD02": unread[rows, lengths - 1].mean(),
        "PAD08": losses[rows, lengths - 2].mean(),
    }
    firsts = {code: identify(analysis, f"{number:.5f}")[0] for code, number in printed.items()}
    assert [code for code, match in firsts.items() if code not in {match.code, *match.aliases}] == []
    last, every = (identify(analysis, f"{number:.5f}")[0] for number in (losses[:, -1].mean(), losses[until].mean()))
    assert (last.code, every.code) == ("MOD04", "MOD04")
    assert last.explanation == (
        "Possible: your loop reads timestep 14 of every sequence, which lies in the padding of 6."
    )
    assert every.explanation == "Possible: your loop counts every timestep up to each sequence's end, 96 of them."


def test_identify_says_of_timesteps_before_the_end_that_they_do_not_count():
    """A prompt is no padding, and neither are a classifier's other timesteps."""
    given, (*_, analysis) = BATCHES["prompts"], reviews()
    loss = loops_numpy.elementwise(given)
    [match, *_] = identify(given.batch, f"{loss.mean():.5f}")
    assert (
        match.explanation
        == f"Possible: your loop counts all 160 positions, {(~given.mask).sum()} of which do not count."
    )
    [match, *_] = identify(analysis, f"{analysis.batch_loss.mean():.5f}")
    assert match.explanation == "Possible: your loop counts all 120 positions, 112 of which do not count."


def test_identify_explains_fractional_weights_with_their_sum_or_their_number():
    """The mean over what has a weight is not the mean over the sum of the weights."""
    given = BATCHES["pad id inside"]
    weights = given.mask * np.random.default_rng(4).choice([0.25, 0.5, 1.0, 2.0], given.mask.shape)
    batch = Batch.from_arrays(logits=given.logits, targets=given.targets, weights=weights, lengths=given.lengths)
    loss, analysis = loops_numpy.elementwise(given), analyze(batch)
    said = {
        number: identify(analysis, f"{number:.5f}", smoothing=0.1)[0].explanation
        for number in ((loss * weights).sum() / given.mask.sum(), loss[given.mask].mean())
    }
    assert list(said.values()) == [
        f"Your loop divides {(loss * weights).sum():.5g} by 131, the timesteps of the mask, whatever their weight.",
        "Possible: your loop counts every timestep with a weight as 1.",
    ]
    smoothed = identify(analysis, f"{analysis.alternatives().uniform_loss[given.mask].mean():.5f}", smoothing=0.1)
    assert not any("the the" in match.explanation for match in smoothed)


def test_identify_one_number_of_an_evaluation_in_batches():
    """Keras averages S ÷ (B·T) by the batches' sizes, a running loss is a sum, and some print the last batch."""
    first, second = drawn(2, 8, 12, 30), drawn(3, 5, 9, 30)
    batches = [analyze(given.batch) for given in (first, second)]
    sums, counts, sizes, areas = (
        np.array([number(given) for given in (first, second)])
        for number in (
            lambda given: loops_numpy.elementwise(given)[given.mask].sum(),
            lambda given: given.mask.sum(),
            lambda given: len(given.targets),
            lambda given: given.targets.size,
        )
    )
    printed = {
        ("C21b", "C05"): (sizes * sums / areas).sum() / sizes.sum(),
        ("RED12", "C05"): (sums / areas).mean(),
        ("C05",): sums.sum() / areas.sum(),
        ("C06",): sums.sum() / sizes.sum(),
        ("C01",): sums.sum(),
        ("RED02",): (sums / counts).sum(),
        ("RED17",): sums[1] / counts[1],
    }
    assert {codes: identify(batches, f"{number:.5f}")[0].codes for codes, number in printed.items()} == {
        codes: codes for codes in printed
    }


def test_identify_zero_has_no_digits_to_tell():
    """A formula that rounds to 0.00 may be any small one; one that is 0 is not there by chance."""
    small = drawn(5, 4, 6, 9)
    logits = np.where(np.arange(9) == small.targets[..., None], 12.0, 0.0)
    batch = Batch.from_arrays(logits=logits, targets=small.targets, lengths=small.lengths)
    assert {match.accidental for match in identify(batch, "0.00")} == {True}
    certain = Batch.from_arrays(logits=np.zeros((2, 2, 1)), targets=np.zeros((2, 2), int))
    assert identify(certain, "0.00")[0].accidental is False
