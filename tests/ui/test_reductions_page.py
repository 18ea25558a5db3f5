"""The page Reductions, and what stays when the page changes."""

import io
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lossviz.conventions import DIVISORS, LAWS, compare_conventions
from lossviz.conventions.folded import fold_conventions
from lossviz.reproduce import LIBRARIES, code
from lossviz.samples import SAMPLES
from lossviz.ui.link import pack
from lossviz.ui.reductions.convention_card import IN_WORDS, WHY_NOT
from lossviz.ui.reductions.conventions_panel import SHORT
from lossviz.ui.shared.apply_convention import IN_USE
from lossviz.ui.views import VIEWS
from tests.ui.driver import (
    address,
    choose,
    click,
    container,
    divisor,
    door,
    edit_length,
    go,
    key_of,
    metrics,
    nodes,
    number,
    open_page,
    picture,
    plain,
    run,
    sample,
    select,
    shown,
    state,
    texts,
    unfold,
    upload,
)


def test_views_are_named_once_and_ask_a_question() -> None:
    names = [view.name for view in VIEWS]
    assert names[0] == "explore"
    assert "reductions" in names
    assert sorted(set(names)) == sorted(names)
    assert all(view.question.endswith("?") and view.title for view in VIEWS)


def test_page_change_keeps_batch_settings_edits_cell_and_quantity() -> None:
    """There and back nothing is lost, and the number is the same on both pages."""
    app = choose(sample("golden"), reduction="encoder_decoder", quantity="entropy")
    edit_length(app, 2, 1)
    select(app, 1, 3)
    shown = number(app)
    go(app, "Reductions")
    assert number(app) == shown == f"{13.2 / 3:.4f}"
    assert [box.key for box in app.selectbox if box.key == "quantity"] == []
    go(app, "Explore")
    assert number(app) == shown
    assert state(app).cell == (1, 3)
    assert len(state(app).source.edits) == 1
    assert {key: app.session_state[key] for key in ("sample", "reduction", "quantity")} == {
        "sample": "golden",
        "reduction": "encoder_decoder",
        "quantity": "entropy",
    }


def test_link_opens_its_own_page_with_the_same_view() -> None:
    """What a link says is so on any page, also what only another page shows."""
    first = choose(sample("golden"), reduction="encoder_decoder", quantity="entropy")
    go(first, "Reductions")
    second = open_page("reductions", view=address(first))
    assert address(second) == address(first)
    assert number(second) == number(first)
    assert container(second, "explore_source").key == "explore_source"
    assert go(second, "Explore").session_state["quantity"] == "entropy"


def page(name: str, **view: Any) -> AppTest:
    """The page Reductions of a sample, as a link opens it."""
    return open_page("reductions", view=pack({"door": "Sample", "sample": name, **view}))


def table(app: AppTest) -> Any:
    """The rows of the table of conventions."""
    return next(frame.value for frame in app.dataframe if "name" in frame.value)


def card(app: AppTest) -> list[str]:
    """The words of the convention that is chosen."""
    found = nodes(container(app, "convention_card"))
    return [plain(str(node.value)) for node in found if node.type in ("markdown", "caption")]


def latex(app: AppTest) -> str:
    [block] = app.latex
    return str(block.value)


def test_table_holds_what_each_library_would_print() -> None:
    """The golden numbers, each once in its group, and every code of the table behind them."""
    app = page("golden")
    rows = table(app).set_index("name").value
    for name, value in (
        ("Sum of everything, no mask", 14.5),
        ("Keras 3 with sample_weight", 0.92),
        ("Mean of each timestep's mean", 1.13),
        ("Label smoothing over all classes", 1.3517),
        ("Perplexity of the mean", 3.5062),
    ):
        assert rows[name] == pytest.approx(value, abs=5e-5)
    compared = compare_conventions(shown(app), smoothing=0.1, accumulation_steps=2, z_loss=1e-4)
    assert rows.tolist() == pytest.approx(fold_conventions(compared).value.tolist(), nan_ok=True)
    assert [words for words in table(app).group if words] == [*SHORT.values()]


def test_groups_have_short_names() -> None:
    assert list(SHORT) == list(DIVISORS)


def test_laws_are_said_where_they_hold_and_where_they_do_not() -> None:
    """Keras 3 divides by the padding too: more of it changes the number."""
    assert list(IN_WORDS) == list(LAWS)
    [laws] = [line for line in card(page("golden", convention="C05")) if line.startswith(":material")]
    assert [line.split(": ", 1)[1].rstrip() for line in laws.splitlines()] == [
        "More padding changes it",
        "The order of the sequences does not matter",
        "Scaling the weights changes it",
        "Even micro-batches average to it",
        "Parts of a batch do not add up to it",
        "A finite number where nothing counts",
    ]


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("C03", r"&= \frac{13.8}{11} = \mathbf{1.2545}\;\mathrm{nats}"),
        ("C05", r"&= \frac{13.8}{15} = \mathbf{0.9200}\;\mathrm{nats}"),
        ("C01", r"&= 13.8 = \mathbf{13.8000}\;\mathrm{nats}"),
        ("C11", r"&= \frac{19.9092}{11} = \mathbf{1.8099}\;\mathrm{bits}"),
        ("C12", r"&= \exp\left(\frac{13.8}{11}\right) = \mathbf{3.5062}\;\mathrm{perplexity}"),
        ("C13", r"&= \frac{15.6925}{3} = \mathbf{5.2308}\;\mathrm{perplexity}"),
    ],
)
def test_formula_holds_the_numbers_of_the_batch(code: str, last: str) -> None:
    assert latex(page("golden", convention=code)).splitlines()[-3] == last


def test_libraries_filter_table_and_bars() -> None:
    """Only rows that Keras 3 prints stay; the convention that is looked at is one of them."""
    app = page("golden", libraries=["Keras 3"])
    compared = compare_conventions(shown(app))
    printed = compared[compared.libraries.str.split(", ").map(lambda names: "Keras 3" in names)]
    assert table(app).value.tolist() == pytest.approx(fold_conventions(printed).value.tolist())
    assert len(table(app)) < 6
    bars = next(trace for trace in picture(app, "conventions")["data"] if trace["name"] == "numbers")
    assert bars["text"] == [f"{value:.4f}" for value in fold_conventions(printed).value]
    assert "Keras 3" in " ".join(card(app))


def test_convention_becomes_the_reduction_of_the_app() -> None:
    """Its number and its divisor are then those of the app, and of Explore."""
    app = click(page("golden", convention="C05"), "use_reduction")
    assert (number(app), divisor(app)) == ("0.9200", ("Divided by positions, padding included", "15"))
    go(app, "Explore")
    assert (number(app), divisor(app)) == ("0.9200", ("Divided by positions, padding included", "15"))
    assert app.session_state["reduction"] == "positions"


def test_convention_that_the_app_uses_already_is_not_offered() -> None:
    app = page("golden", convention="C05")
    assert IN_USE not in card(app)
    assert [button.key for button in click(app, "use_reduction").button if button.key == "use_reduction"] == []
    assert IN_USE in card(app)
    app = page("golden", convention="C18o", loop_accumulation_steps=3)
    click(app, "use_reduction")
    assert IN_USE in card(app)
    assert IN_USE not in card(run(app.number_input(key="loop_accumulation_steps").set_value(2)))


def test_epsilon_in_a_divisor_is_no_difference_to_the_app() -> None:
    """TensorFlow 1 adds 1e-12 to each length: 5e-13 nats of 1.42."""
    app = click(page("golden", convention="C07"), "use_reduction")
    assert "Divided by sequences, each by its own mean; it is the number of the app." in card(app)


@pytest.mark.parametrize(
    ("name", "why"), [("weights-all-0", "0 ÷ 0, since nothing counts"), ("logits-all-nan", "NaN ÷ 7")]
)
def test_convention_without_a_number_says_why(name: str, why: str) -> None:
    assert f"NaN on this batch: {why}." in card(page(name, convention="C03"))


def test_convention_takes_its_mask_and_its_micro_batches_along() -> None:
    app = click(page("golden", convention="C04"), "use_reduction")
    assert (number(app), app.session_state["mask"]) == ("0.9667", "none")
    app = click(page("golden", convention="C18o", loop_accumulation_steps=3), "use_reduction")
    assert (number(app), app.session_state["accumulation_steps"]) == ("1.4200", 3)


def test_convention_that_the_app_has_not_says_why() -> None:
    app = page("golden", convention="LS1")
    assert app.button(key="use_reduction").disabled
    assert WHY_NOT in card(app)


def test_convention_without_its_option_says_what_it_needs_and_gets_it() -> None:
    app = page("golden", convention="C24")
    assert "Needs `class_weights`." in card(app)
    run(app.text_input(key="loop_class_weights").set_value("1, 1, 2, 1, 1, 1"))
    assert "Needs `class_weights`." not in card(app)
    weights = np.array([1, 1, 2, 1, 1, 1])[shown(app).batch.targets] * shown(app).weights
    value = (weights * shown(app).batch_loss).sum() / weights.sum()
    assert rf"\mathbf{{{value:.4f}}}" in latex(app)


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("class_weights", "1, two", "Class weights: type numbers separated by commas, such as 1, 1, 0.5."),
        ("bytes_per_token", "1 -1", "`bytes_per_token` must be a list of numbers from 0 on, one for each class."),
    ],
)
def test_option_that_can_not_be_is_answered_in_words(name: str, typed: str, message: str) -> None:
    """The rest of the page is there."""
    app = page("golden")
    run(app.text_input(key=f"loop_{name}").set_value(typed))
    assert texts(app, "error") == [message]
    assert len(table(app)) > 20


def test_options_change_the_numbers() -> None:
    """The card says which smoothing that is."""
    app = page("golden", convention="LS1")
    assert r"\mathbf{1.3517}" in latex(app)
    said = "Divided by timesteps that count; 0.0972 more than the number of the app. Label smoothing ε: 0.1."
    assert said in card(app)
    run(app.number_input(key="loop_smoothing").set_value(0.0))
    assert r"\mathbf{1.2545}" in latex(app)


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES])
def test_every_sample_has_its_table_and_its_split(name: str) -> None:
    """Whatever is wrong with the content."""
    app = page(name)
    assert len(table(app)) > 10
    drawn = picture(app, "conventions")
    numbers = [trace["text"] for trace in drawn["data"] if trace["name"] == "numbers"]
    assert bool(numbers) == (name != "logits-all-nan")
    assert picture(app, "split_weights")["layout"]["title"]["text"].startswith("What a timestep weighs")


def test_split_shows_the_three_numbers_and_why() -> None:
    """One and two sequences: 1.36 and 1.1667, as in the catalogue."""
    app = page("golden", split_typed="0 | 1, 2")
    values = {
        key: metrics(app)[key] for key in ("Mean of means, nats", "Divided once, nats", "Sum of means", "Difference")
    }
    assert values == {
        "Mean of means, nats": "1.2633",
        "Divided once, nats": "1.2545",
        "Sum of means": "2.5267",
        "Difference": "0.0088",
    }
    sentence = (
        "Micro-batch 0 holds 5 timesteps that count and micro-batch 1 holds 6, but each mean counts one half: "
        "a timestep in 0 weighs 1/10, one in 1 weighs 1/12, and not 1/11."
    )
    assert sentence in texts(app, "markdown")


def test_split_follows_kind_and_slider() -> None:
    app = page("golden")
    run(app.slider(key=key_of(app, "split_parts")).set_value(3))
    assert metrics(app)["Mean of means, nats"] == "1.4200"
    app.session_state["split_kind"] = "chunks"
    run(app)
    run(app.slider(key=key_of(app, "split_parts")).set_value(2))
    assert metrics(app)["Mean of means, nats"] == "1.0292"


def test_split_that_was_typed_wrong_says_so_and_keeps_the_slider() -> None:
    app = page("golden", split_typed="1, 1")
    assert texts(app, "error") == ["The sizes must add up to the 3 sequences of the batch; 1 + 1 is 2."]
    assert metrics(app)["Mean of means, nats"] == "1.6611"


def test_split_of_a_part_in_which_nothing_counts_is_nan_as_in_pytorch() -> None:
    app = page("golden", edits=[["lengths", [1], 0]], source=["sample", "golden"], split_typed="1, 1, 1")
    assert metrics(app)["Mean of means, nats"] == "NaN"
    assert metrics(app)["Divided once, nats"] == f"{11.4 / 7:.4f}"


def test_link_keeps_what_is_chosen_here() -> None:
    view = {
        "convention": "C05",
        "libraries": ["Keras 3"],
        "unit": "nats",
        "loop_smoothing": 0.2,
        "split_kind": "chunks",
    }
    first = page("golden", **view, split_typed="2, 3", loop_class_weights="1 2 3 4 5 6")
    second = open_page("reductions", view=address(first))
    assert {key: second.session_state[key] for key in view} == view
    assert latex(second) == latex(first)
    assert metrics(second) == metrics(first)
    assert address(second) == address(first)


HOSTILE: dict[str, list[Any]] = {
    "convention": ["C99", 3, ["C05"]],
    "libraries": ["Keras 3", ["Keras 9"], [1], {}],
    "unit": ["watt", 1],
    "loop_smoothing": [2.0, "a", -0.1],
    "loop_accumulation_steps": [0, -1, 1.5],
    "split_kind": ["halves"],
    "split_parts": [0, 10**30, "2"],
    "split_typed": [["1, 2"], 7],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in HOSTILE.items() for value in values])
def test_wrong_choice_in_a_link_is_left_out(key: str, value: Any) -> None:
    app = page("golden", **{key: value})
    assert number(app) == "1.2545"
    assert metrics(app)["Mean of means, nats"] == "1.6611"


def test_downloads_hold_every_row_and_both_pictures() -> None:
    """Also those rows that the table shows as one."""
    app = page("golden")
    labels = [button.label for button in app.get("download_button")]
    assert labels.count("Picture as HTML") == 2
    assert "Every row as CSV" in labels


def test_code_that_reproduces_the_number_is_at_the_end() -> None:
    app = unfold(page("golden", reduction="positions"), "code")
    assert [block.value.rstrip() for block in app.code] == [
        code(shown(app), library.name).rstrip() for library in LIBRARIES
    ]


def test_choices_of_this_page_survive_another_page() -> None:
    app = page("golden", convention="C05", libraries=["Keras 3"], split_typed="0 | 1, 2", loop_smoothing=0.3)
    go(app, "Explore")
    go(app, "Reductions")
    assert [app.session_state[key] for key in ("convention", "libraries", "split_typed", "loop_smoothing")] == [
        "C05",
        ["Keras 3"],
        "0 | 1, 2",
        0.3,
    ]
    assert metrics(app)["Mean of means, nats"] == "1.2633"


def test_empty_batch_says_what_to_do() -> None:
    stream = io.BytesIO()
    np.savez(stream, logits=np.zeros((0, 3, 2)), targets=np.zeros((0, 3), int))
    app = upload(door(page("golden"), "Open"), empty_npz=stream.getvalue())
    assert texts(app, "info")[-1] == "There is no timestep. Type a sequence, open a file or choose a sample."


def test_refused_reduction_leaves_table_and_split() -> None:
    """A classifier's reduction of six classes has no number; the conventions have theirs."""
    app = page("golden", reduction="classification")
    assert number(app) == "no number"
    assert metrics(app)["Divided once, nats"] == "1.2545"
    assert len(table(app)) > 20
