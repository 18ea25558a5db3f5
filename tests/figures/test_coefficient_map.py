"""What a formula counts: coefficients as colour, the divisor's own timesteps as hatches, the mask as an outline."""

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.errors import InputError
from lossviz.figures import coefficient_map
from tests.figures._cases import checked, golden, hostile, named, notes, random_analysis, spec_words
from tests.golden import LENGTHS

MASK = np.arange(5) < LENGTHS[:, None]


def over_all():
    """Σ under the mask ÷ all 15 positions."""
    return checked(coefficient_map(golden(), coefficients=MASK / 15, cells=np.ones((3, 5), bool)))


def test_counted_shows_the_coefficients_of_the_analysis():
    """13.8 ÷ 11: each timestep that counts is multiplied by 1/11, the others are blank."""
    figure = checked(coefficient_map(golden()))
    [grid] = named(figure, "coefficients")
    assert np.nan_to_num(grid.z) == pytest.approx(MASK / 11)
    assert figure.layout.title.text == "Loss × 1/11 for 11 of 15 timesteps"
    assert notes(figure, "legend:off") == ["not counted"]
    assert notes(figure, "legend:divisor") == []


def test_counted_tells_the_divisor_from_the_numerator():
    """The four padded cells are hatched and carry the sign of division."""
    figure = over_all()
    assert figure.layout.title.text == "Loss × 1/15 for 11 of 15 timesteps; 4 more in the divisor"
    [signs] = named(figure, "divisor")
    assert list(zip(signs.y.tolist(), signs.x.tolist(), strict=True)) == [(1, 4), (2, 2), (2, 3), (2, 4)]
    assert set(signs.text) == {"÷"}
    assert len(named(figure, "hatch")) == 1
    assert notes(figure, "legend:divisor") == ["in the divisor only"]
    assert notes(figure, "legend:off") == []


def test_counted_outlines_what_the_mask_in_use_counts():
    figure = over_all()
    assert len(named(figure, "mask")) == 1
    assert notes(figure, "legend:mask") == ["outlined: what counts by the mask in use (lengths)"]


def test_counted_names_the_range_where_coefficients_differ():
    """The mean of the sequences' means: 1/(3·5), 1/(3·4), 1/(3·2)."""
    figure = checked(coefficient_map(golden(), coefficients=MASK / LENGTHS[:, None] / 3))
    assert figure.layout.title.text == "Loss × 1/15 to 1/6 for 11 of 15 timesteps"
    [words] = named(figure, "words")
    assert [word.partition(">")[2].removesuffix("</span>") for word in words.text] == 5 * ["1/15"] + 4 * [
        "1/12"
    ] + 2 * ["1/6"]


def test_counted_of_nothing_says_so():
    figure = checked(coefficient_map(golden(), coefficients=np.zeros((3, 5))))
    assert figure.layout.title.text == "Loss × 0 for 0 of 15 timesteps"


def test_counted_says_what_it_draws_of_a_large_batch():
    figure = checked(coefficient_map(random_analysis(70, 520, classes=2)))
    [grid] = named(figure, "coefficients")
    assert grid.z.shape == (64, 512)
    assert figure.layout.title.text.endswith(" of 36,400 timesteps (the first 64 × 512 are drawn)")
    assert named(figure, "words") == []


def test_counted_of_small_cells_tells_the_divisor_by_hatches_alone():
    analysis = random_analysis(30, 200, classes=2)
    figure = checked(coefficient_map(analysis, cells=np.ones((30, 200), bool)))
    assert named(figure, "divisor") == []
    assert len(named(figure, "hatch")) == 1


def test_counted_escapes_tokens():
    words = spec_words(coefficient_map(hostile(), width=2000))
    assert [word for word in words if "<script" in word or "<img" in word] == []
    assert any("&lt;script&gt;" in word for word in words)


def test_counted_of_an_empty_batch_says_what_to_do():
    empty = analyze(Batch.from_arrays(logits=np.zeros((0, 3, 2)), targets=np.zeros((0, 3), int)))
    assert checked(coefficient_map(empty)).layout.annotations[0].text.startswith("There is no timestep to draw.")


@pytest.mark.parametrize("name", ["coefficients", "cells"])
def test_counted_refuses_another_shape(name):
    message = rf"`{name}` must have shape \(3, 5\), one per timestep; got \(5, 3\)\."
    with pytest.raises(InputError, match=f"^{message}$"):
        coefficient_map(golden(), **{name: np.ones((5, 3), bool)})
