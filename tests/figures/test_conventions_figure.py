"""A bar for each number that libraries print: grouped by divisor, one unit, beside the number of the app."""

import numpy as np
import pytest

from lossviz.conventions import DIVISORS, compare_conventions
from lossviz.conventions.folded import fold_conventions
from lossviz.errors import InputError
from lossviz.figures import conventions
from lossviz.figures._core.style import THEMES
from tests.figures._cases import checked, golden, named, notes


def table(**options):
    return compare_conventions(golden(), **options)


def bars(figure):
    """Each bar's text by its line."""
    [trace] = named(figure, "numbers")
    return dict(zip(np.asarray(trace.y).tolist(), trace.text, strict=True))


def test_conventions_draws_one_bar_for_each_number_of_a_group():
    """13.8 over 11, 15, 3, … as in spec/conventions.md; nine codes of S/N are one bar."""
    figure = checked(conventions(table(), selected=13.8 / 11))
    folded = fold_conventions(table().query("unit == 'nats' and value.notna()"))
    assert list(bars(figure).values()) == [f"{value:.4f}" for value in folded.value]
    assert {"13.8000", "1.2545", "0.9200", "0.9667", "4.6000", "1.4200", "1.1300"} <= set(bars(figure).values())
    assert notes(figure, "value") == list(bars(figure).values())
    assert figure.layout.title.text == f"What each library would print: {len(folded)} numbers, nats"


def test_conventions_stands_in_groups_by_divisor():
    figure = checked(conventions(table()))
    groups = [words for words in DIVISORS.values() if f"<b>{words}</b>" in notes(figure, "group")]
    assert notes(figure, "group") == [f"<b>{words}</b>" for words in groups]
    headings = [note.y for note in figure.layout.annotations if note.name == "group"]
    assert set(headings) & set(bars(figure)) == set()
    assert sorted([*headings, *bars(figure)]) == list(range(len(headings) + len(bars(figure))))


def test_conventions_names_a_bar_and_how_many_more_print_it():
    figure = checked(conventions(table()))
    folded = fold_conventions(table())
    [codes] = [codes for codes in folded.codes if "C03" in codes]
    assert f"Mean over the timesteps that count +{len(codes) - 1} " in figure.layout.yaxis.ticktext
    assert list(figure.layout.yaxis.tickvals) == list(bars(figure))


def test_conventions_marks_the_number_of_the_app():
    figure = checked(conventions(table(), selected=13.8 / 11))
    assert notes(figure, "selected") == ["the app: 1.2545"]
    [line] = figure.layout.shapes
    assert line.x0 == line.x1 == 13.8 / 11


def test_conventions_cuts_what_would_hide_the_others():
    """The sums are eleven times the means: they end at the edge, with a sign, and their number is still theirs."""
    figure = checked(conventions(table(), selected=13.8))
    [trace] = named(figure, "numbers")
    folded = fold_conventions(table().query("unit == 'nats' and value.notna()"))
    end = 3 * folded.value.median()
    assert np.asarray(trace.x) == pytest.approx(np.minimum(folded.value, end))
    assert len(named(figure, "cut")[0].text) == (folded.value > end).sum() > 0
    assert notes(figure, "note") == ["// longer than the axis"]
    assert notes(figure, "selected") == ["the app: 13.8000 ▸"]
    assert figure.layout.shapes[0].x0 == pytest.approx(end)


@pytest.mark.parametrize("theme", list(THEMES))
def test_conventions_gives_the_chosen_one_its_own_colour(theme):
    figure = checked(conventions(table(), chosen="C05", theme=theme))
    [trace] = named(figure, "numbers")
    own = [text for text, colour in zip(trace.text, trace.marker.color, strict=True) if colour == THEMES[theme].target]
    assert own == ["0.9200"]
    assert set(trace.marker.color) == {THEMES[theme].target, THEMES[theme].bar}


def test_conventions_says_the_formula_and_the_difference_under_the_pointer():
    figure = checked(conventions(table()))
    [trace] = named(figure, "numbers")
    words = [text for text in trace.customdata if text.startswith(("<b>Keras 3 with sample", "<b>Mean over the time"))]
    assert words == [
        (
            "<b>Mean over the timesteps that count</b><br>13.8000 ÷ 11 timesteps that count<br>"
            "= 1.2545 nats, the number of the app<br>C03, C03e, C03n, C05k, C05w, C06t, C07t, C14n, C18 …"
        ),
        (
            "<b>Keras 3 with sample_weight</b><br>13.8000 ÷ 15 positions, padding included<br>"
            "= 0.9200 nats, 0.3345 less than the number of the app<br>C05"
        ),
    ]


@pytest.mark.parametrize(
    ("unit", "values"), [("bits", ["1.8099", "6.6364"]), ("perplexity", ["3.5062", "2.5093", "5.2308"])]
)
def test_conventions_keeps_units_apart(unit, values):
    figure = checked(conventions(table(), unit=unit))
    assert list(bars(figure).values()) == values
    assert figure.layout.title.text == f"What each library would print: {len(values)} numbers, {unit}"


def test_conventions_of_some_rows_shows_these():
    """What a filter by library leaves."""
    rows = table()
    figure = checked(conventions(rows[rows.libraries.str.contains("nanoGPT")]))
    assert list(bars(figure).values()) == ["0.9667"]
    assert figure.layout.title.text == "What each library would print: 1 number, nats"


def test_conventions_without_a_number_says_what_to_do():
    rows = table()
    figure = checked(conventions(rows[rows.code == "C25"], unit="bits"))
    assert notes(figure, "empty") == [
        "No convention has a number here: the losses are NaN, or an option that it needs was not said."
    ]


def test_conventions_refuses_an_unknown_unit():
    with pytest.raises(InputError) as caught:
        conventions(table(), unit="bit")
    assert str(caught.value) == "`unit` must be one of 'nats', 'bits', 'perplexity'; got 'bit'. Did you mean 'bits'?"


def test_folded_conventions_keep_every_code_once_in_the_order_of_divisors():
    whole = table(smoothing=0.1, accumulation_steps=2)
    folded = fold_conventions(whole)
    assert sorted(code for codes in folded.codes for code in codes) == sorted(whole.code)
    places = [list(DIVISORS).index(group) for group in folded.group]
    assert places == sorted(places)
    by_code = whole.set_index("code")
    for row in folded.itertuples():
        assert by_code.loc[list(row.codes), "value"].to_numpy() == pytest.approx(row.value, rel=1e-8, nan_ok=True)
        assert set(by_code.loc[list(row.codes), "group"]) == {row.group}
    assert len(folded[folded.codes.map(len) > 1]) < len(folded) < len(whole)


def test_folded_conventions_name_every_library_once():
    folded = fold_conventions(table())
    mean = folded[folded.codes.map(lambda codes: "C03" in codes)].iloc[0]
    names = mean.libraries.split(", ")
    assert len(names) == len(set(names))
    assert {"PyTorch", "Keras 3", "AllenNLP", "TensorFlow 1"} <= set(names)
