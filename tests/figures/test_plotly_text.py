"""Tokens are text: whatever they hold, Plotly draws it and nothing else, in every figure."""

import html

import numpy as np
import pytest

from lossviz import analyze
from lossviz.figures import class_bars, equation, overview
from lossviz.figures._core.text import ellipsis, plotly_text, text_width, visible
from tests.figures._cases import HOSTILE, OWN_MARKUP, checked, hostile, named, spec_words


def drawn_by_all():
    analysis = hostile()
    yield equation(analysis, width=2400)
    yield equation(analysis, width=760)
    yield overview(analysis)
    yield from (class_bars(analysis.explain(0, t)) for t in range(len(HOSTILE)))


def test_every_figure_draws_hostile_tokens_as_text():
    for figure in drawn_by_all():
        for word in spec_words(checked(figure)):
            bare = word
            for markup in OWN_MARKUP:
                bare = bare.replace(markup, "")
            assert "<" not in bare
            assert not set("\n\u200b\u202e$") & set(bare)
            assert len(word) < 400


def test_hover_holds_the_whole_visible_token():
    lines = equation(hostile(), width=2400).data[0].text[0]
    tokens = [html.unescape(line).split("target ")[1].split(f" ({t}), first")[0] for t, line in enumerate(lines)]
    shown = [visible(token) for token in HOSTILE]
    shown[8] = "x" * 79 + "…"
    assert tokens == shown


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("<script>", "&lt;script&gt;"),
        ("<img src=x onerror=1>", "&lt;img␣src=x␣onerror=1&gt;"),
        ("&lt;", "&amp;lt;"),
        ("#000032", "&#35;000032"),
        ("$x$", "&#36;x&#36;"),
        ("שלום", "\u2068שלום\u2069"),
        ("a\u200bb\u202e", "a⟨U+200B⟩b⟨U+202E⟩"),
        ("two\nlines\t", "two↵lines→"),
        ("\x00\x7f\ud800", "␀␡⟨U+D800⟩"),
        ("\u0301", "◌\u0301"),
        ("", "⟨empty⟩"),
        ("x" * 10_000, "x" * 79 + "…"),
    ],
)
def test_plotly_text_shows_what_is_there(token, text):
    assert plotly_text(token) == text


def test_plotly_text_is_read_back_exactly():
    for token in HOSTILE[:7]:
        assert html.unescape(plotly_text(token)) == visible(token)


@pytest.mark.parametrize("width", [10, 25, 40, 90])
@pytest.mark.parametrize("token", [*HOSTILE, "語彙語彙語彙", "immediately", "\u0301" * 500])
def test_ellipsis_never_exceeds_its_width(token, width):
    cut = html.unescape(ellipsis(token, width))
    assert text_width(cut, 12) <= width
    assert len(cut) <= 90


def test_text_width_of_east_asian_characters_is_a_full_em():
    assert text_width("語彙", 10) == 21


def test_words_of_cells_are_escaped():
    (first, _) = named(equation(hostile(), width=2400), "values")
    assert first.text[0].startswith("&lt;script&gt; <span")
    assert first.text[5].startswith("&#35;000032 <span")


def test_class_bars_keep_classes_with_the_same_token_apart():
    figure = class_bars(analyze(hostile().batch.replace(vocabulary=["same"] * len(HOSTILE))).explain(0, 3))
    rows = np.sort(np.concatenate([bars.y for bars in figure.data]))
    assert rows.tolist() == list(range(5))
    assert len(set(figure.layout.yaxis.ticktext)) == 5
