"""The line that names the divisor stays inside of a narrow figure."""

import numpy as np
import pytest

from lossviz import Analysis, Batch, analyze
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
