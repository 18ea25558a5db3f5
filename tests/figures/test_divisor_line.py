"""The line that names the divisor stays inside of a narrow figure."""

import numpy as np
import pytest

from lossviz import Analysis, Batch, Settings, analyze
from lossviz.figures import equation
from lossviz.figures._core.text import text_width


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    batch = Batch.from_arrays(logits=np.zeros((3, 6, 8)), targets=np.ones((3, 6), int), lengths=[4, 6, 5])
    return analyze(batch)


@pytest.mark.parametrize(("width", "size"), [(1240, 17), (930, 17), (440, None), (360, None)])
def test_divisor_line_fits(analysis: Analysis, width: int, size: int | None) -> None:
    """31.1916 ÷ 15 timesteps that count = 2.0794 nats, from the left edge of the heatmaps to the edge of the page."""
    figure = equation(analysis, width=width)
    [line] = [note for note in figure.layout.annotations if note.name == "divisor"]
    words = line.text.replace("<b>", "").replace("</b>", "")
    assert words == "31.1916 ÷ 15 timesteps that count = 2.0794 nats"
    assert line.x * figure.layout.width + text_width(words, line.font.size) <= figure.layout.width
    assert line.font.size == size or (size is None and 9 <= line.font.size < 17)


def test_divisor_line_of_several_numbers_is_broken_where_it_would_be_too_small() -> None:
    """As wide as in the lessons: before the "=", and both lines fit; where there is room it stays one."""
    batch = Batch.from_arrays(logits=np.zeros((3, 6, 8)), targets=np.ones((3, 6), int), lengths=[4, 6, 5])
    settings = Settings(reduction="sequence_loss", average_across_batch=False)
    for width, lines in ((530, 2), (1240, 1)):
        figure = equation(analyze(batch, settings), width=width)
        [line] = [note for note in figure.layout.annotations if note.name == "divisor"]
        words = line.text.replace("<b>", "").replace("</b>", "").split("<br>")
        assert len(words) == lines
        assert " ".join(words).startswith("÷ ")
        assert " = one number per sequence, 2.0794 nats" in " ".join(words)
        ends = [line.x * figure.layout.width + text_width(part, line.font.size) for part in words]
        assert max(ends) <= figure.layout.width
        assert line.font.size >= 11
