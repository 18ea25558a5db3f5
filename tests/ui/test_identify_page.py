"""The page Identify: the number, the answer in one sentence, the candidates, and every way to have no answer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lossviz import Batch, analyze, write
from lossviz.digits import numbers_in
from lossviz.identification import answer, identify
from lossviz.samples import load_sample
from lossviz.ui.identify.answer_panel import EMPTY, STOPPED, UNSAID
from lossviz.ui.identify.match_cards import quotient
from lossviz.ui.link import pack
from tests.golden import FRACTIONAL, golden_batch
from tests.ui.driver import (
    address,
    choose,
    click,
    container,
    decoded,
    door,
    go,
    key_of,
    nodes,
    number,
    open_page,
    picture,
    plain,
    run,
    shown,
    state,
    texts,
    unfold,
    upload,
)

GOLDEN = {"door": "Sample", "sample": "golden"}
ALL_15 = "0.92 is the sum of the losses divided by all 15 positions, 4 of them padding."


def page(**view: Any) -> AppTest:
    return open_page("identify", view=pack(GOLDEN | view))


def paste(app: AppTest, text: str) -> AppTest:
    return run(app.text_input(key=key_of(app, "identify_number")).set_value(text))


def sentence(app: AppTest) -> str:
    """The answer on top: its first sentence large, the rest under it."""
    found = [node for node in nodes(container(app, "identify_answer")) if node.type == "markdown"]
    return " ".join(plain(str(line.value)) for line in found).removeprefix("## ")


def expected(text: str, **said: Any) -> str:
    return answer(identify(golden_batch(), text, **said), text)


def words(app: AppTest, key: str) -> list[str]:
    """Every text of a card."""
    kinds = ("markdown", "caption", "latex", "code", "button")
    return [plain(str(getattr(node, "value", ""))) for node in nodes(container(app, key)) if node.type in kinds]


def labels(app: AppTest) -> list[str]:
    return [str(panel.label) for panel in app.expander]


def npz(tmp_path: Any, **changes: Any) -> bytes:
    path = tmp_path / "batch.npz"
    write(golden_batch(**changes).fields(), path)
    data: bytes = path.read_bytes()
    return data


def test_empty_page_says_what_to_do() -> None:
    app = page()
    assert texts(app, "info") == [EMPTY]
    assert app.text_input(key=key_of(app, "identify_number")).value in ("", None)
    assert labels(app) == []


def test_pasted_number_is_answered_in_one_sentence() -> None:
    """13.8 over all 15 positions prints 0.92; the same line is not said twice."""
    app = paste(page(), "0.92")
    assert sentence(app).startswith(f"{ALL_15} ")
    assert sentence(app) == expected("0.92")
    card = words(app, "match_1")
    assert card[0] == "### Keras 3 with sample_weight · C05"
    assert "0.9200, exactly the printed number" in card
    assert [line for line in card if "Your loop" in line] == []
    assert any("PAD02" in line for line in card)
    assert texts(app, "info", "error", "warning") == []


def test_card_draws_what_it_counts() -> None:
    """11 losses × 1/15, and the four padded cells stand in the divisor only."""
    figure = picture(paste(page(), "0.92"), "counted_1")
    [grid] = [trace for trace in figure["data"] if trace["name"] == "coefficients"]
    [signs] = [trace for trace in figure["data"] if trace["name"] == "divisor"]
    assert np.nan_to_num(decoded(grid["z"])) == pytest.approx(analyze(golden_batch()).mask / 15)
    assert signs["text"] == ["÷"] * 4


def test_card_shows_formula_and_fix_in_each_library() -> None:
    app = paste(page(), "0.92")
    match = identify(golden_batch(), "0.92")[0]
    numbers = r"\frac{13.8}{15} = \mathbf{0.9200}"
    expected = rf"\begin{{aligned}}&{match.formula}\\[14pt]&= {numbers}\end{{aligned}}"
    assert str(app.latex[0].value).strip("$\n") == expected
    assert [str(tab.label) for tab in app.tabs][:3] == list(match.fix) == ["TensorFlow", "PyTorch", "JAX"]
    assert [str(block.value) for block in app.code][:3] == list(match.fix.values())


def test_formula_has_numbers_in_it_where_it_is_one_quotient_of_what_is_shown() -> None:
    batch = golden_batch(weights=FRACTIONAL, lengths=None)
    analysis = analyze(batch)
    mean = float(analysis.value)
    by_code = {match.code: match for match in identify(batch, f"{mean:.9f}")}
    assert quotient(analysis, by_code["C03"]) == pytest.approx((analysis.numerator, 10.5))
    of_sequences = next(match for match in identify(golden_batch(), "1.42000") if match.code == "C07")
    assert quotient(analyze(golden_batch()), of_sequences) is None
    assert (
        quotient(analysis, replace(by_code["C03"], arrays=lambda: (np.zeros((0, 0)), np.zeros((0, 0), bool)))) is None
    )


def test_others_are_folded_with_their_count() -> None:
    """One digit fits many formulas: the likeliest is open, and what may be chance is called that."""
    app = paste(page(), "0.9")
    matches = identify(golden_batch(), "0.9")
    [label] = labels(app)
    opened = [node.key for node in nodes(app.main) if str(getattr(node, "key", "")).startswith("match_")]
    assert label == f"Also consistent with ({len(matches) - len(opened)})"
    unfold(app, "identify_rest")
    drawn = [str(node.key) for node in nodes(app.main) if str(getattr(node, "key", "")).startswith("match_")]
    assert drawn == [f"match_{match.rank}" for match in matches]
    for match in matches:
        chance = [line for line in words(app, f"match_{match.rank}") if "Perhaps by chance" in line]
        assert bool(chance) == match.accidental


def test_convention_becomes_the_reduction_of_the_app() -> None:
    app = click(paste(page(), "0.92"), "adopt_1")
    assert app.selectbox(key=key_of(app, "reduction")).value == "positions"
    assert sentence(app) == expected("0.92")
    go(app, "Explore")
    assert number(app) == "0.9200"


def test_number_that_nothing_gives_is_answered_with_what_to_check() -> None:
    app = paste(page(), "77.123456")
    nearest = "The nearest is C02, Sum of everything, no mask: 14.5000, which is 62.6235 less."
    assert sentence(app) == f"{answer((), '77.123456')} {nearest} {UNSAID}"
    run(app.number_input(key="identify_world_size").set_value(3))
    assert sentence(app) == f"{answer((), '77.123456')} {nearest}"
    assert [node.key for node in nodes(app.main) if str(getattr(node, "key", "")).startswith("match_")] == []


def test_numbers_of_the_sequences_are_one_question() -> None:
    """6.8 ÷ 5, 2.4 ÷ 4 and 4.6 ÷ 2."""
    app = paste(page(), "[1.36, 0.60, 2.30]")
    assert sentence(app) == answer(identify(golden_batch(), ["1.36", "0.60", "2.30"]))
    assert words(app, "match_1")[0].endswith(" · C07")
    assert "exactly the printed numbers" in words(app, "match_1")
    assert [button.key for button in app.button if button.key.startswith("adopt_")] == []


def test_numbers_that_fit_no_axis_are_refused_in_words() -> None:
    app = paste(page(), "1.36, 0.60")
    assert texts(app, "error") == [
        (
            "`reported` must be one number, 3 (one a sequence) or 5 (one a timestep); got 2. "
            "Print the loss of one batch at a time."
        )
    ]


def test_second_batch_leaves_what_explains_both() -> None:
    """12 ÷ 12 positions of the other sample; 12 ÷ 9 would be another formula."""
    app = paste(page(), "0.9")
    assert labels(app) != []
    choose(app, identify_other="sample: lengths-3-4-2")
    assert texts(app, "caption").count("With a second batch, whose number is missing") == 1
    run(app.text_input(key="identify_other_number").set_value("1.000"))
    assert texts(app, "caption").count("With a second batch") == 1
    assert words(app, "match_1")[0].endswith(" · C05")
    assert labels(app) == []
    run(app.text_input(key="identify_other_number").set_value("1.33333"))
    assert sentence(app) == answer((), "0.9")
    run(app.text_input(key="identify_other_number").set_value("abc"))
    assert texts(app, "error") == [
        "The second batch's loss is no number: abc. Leave out units and words, as in 1.2545."
    ]


def test_second_batch_of_a_classifier_is_read_as_one() -> None:
    """Σ of the sigmoid losses of each last timestep ÷ 8, of the model trained and half-trained."""
    app = paste(page(sample="reviews-trained"), "1.26891")
    choose(app, identify_other="sample: reviews-half-trained")
    run(app.text_input(key="identify_other_number").set_value("0.49363"))
    assert words(app, "match_1")[0].endswith(" · C03")


def test_number_of_a_second_batch_that_is_not_chosen_is_not_forgotten() -> None:
    app = paste(page(identify_other_number="1.000"), "0.92")
    assert "With the number of a second batch, which is not chosen" in texts(app, "caption")
    assert sentence(app) == expected("0.92")


def test_text_that_is_no_number_is_answered_in_one_sentence() -> None:
    """What was typed stays, and the next number is answered."""
    app = page()
    for text, word in {
        "abc": "abc",
        "1.2545 nats": "nats",
        "<b>1</b>": "<b>1</b>",
        "![x](http://a)": "![x](http://a",
        "x" * 99: "x" * 40,
        "1,2545": "1,2545",
    }.items():
        paste(app, text)
        way = "Write it with a decimal point" if text == "1,2545" else "Leave out units and words"
        message = f"This is no number: {word}. {way}, as in 1.2545."
        assert texts(app, "error") == [message]
        assert app.text_input(key=key_of(app, "identify_number")).value == text
    assert sentence(paste(app, "0.92")) == expected("0.92")


def test_odd_numbers_are_answered() -> None:
    app = page()
    for text in ("nan", "-1.5", "1e400", " 0.9200 "):
        paste(app, text)
        assert texts(app, "error", "info") == []
        assert sentence(app).startswith(expected(text.strip()))


def test_numbers_of_a_text_are_its_words() -> None:
    assert numbers_in("[1.36, 0.60;  2.30]\n") == ("1.36", "0.60", "2.30")
    assert numbers_in(" ,; ") == ()
    assert numbers_in("1,2") == numbers_in(" 1,2 ") == ("1,2",)
    assert numbers_in("1, 2") == numbers_in("[1,2]") == ("1", "2")
    assert numbers_in("−1.5") == ("-1.5",)


def test_number_of_the_batch_is_there_already(tmp_path: Any) -> None:
    app = door(open_page("identify"), "Open")
    upload(app, batch_npz=npz(tmp_path, reported="0.92"))
    assert app.text_input(key=key_of(app, "identify_number")).value == "0.92"
    assert sentence(app) == expected("0.92")


def test_number_belongs_to_its_batch() -> None:
    """Another batch asks for its own, and the first one's is there again on return."""
    app = paste(page(), "0.92")
    choose(app, sample="lengths-3-4-2")
    assert texts(app, "info") == [EMPTY]
    paste(app, "1.3333")
    choose(app, sample="golden")
    assert (app.text_input(key=key_of(app, "identify_number")).value, sentence(app)) == ("0.92", expected("0.92"))
    choose(app, sample="lengths-3-4-2")
    assert app.text_input(key=key_of(app, "identify_number")).value == "1.3333"


def test_page_change_keeps_the_question() -> None:
    app = paste(page(), "0.92")
    go(app, "Explore")
    go(app, "Identify")
    assert sentence(app) == expected("0.92")


def test_second_batch_that_was_stopped_is_not_started_again() -> None:
    app = paste(page(identify_other="sample: lengths-3-4-2", identify_other_number="1.000"), "0.92")
    state(app).stopped = app.session_state["identify:found"].question.other
    paste(app, "0.920")
    assert texts(app, "error") == [STOPPED]
    assert sentence(paste(app, "0.92")) == expected("0.92")


def test_link_restores_the_question() -> None:
    first = page(identify_number="0.92", identify_accumulation_steps=2, identify_smoothing=0.1)
    second = open_page("identify", view=address(first))
    assert sentence(second) == sentence(first)
    assert second.number_input(key="identify_accumulation_steps").value == 2
    assert second.number_input(key="identify_smoothing").value == 0.1
    assert texts(second, "caption").count("With accumulation steps 2, label smoothing ε 0.1") == 1


def test_link_with_what_can_not_be_leaves_it_out() -> None:
    app = page(
        identify_accumulation_steps=0,
        identify_world_size=2.5,
        identify_smoothing=7.0,
        identify_accuracy="high",
        identify_precision="float8",
        identify_number=3,
        identify_other="sample: nothing",
    )
    assert texts(app, "info") == [EMPTY]
    assert [field.value for field in app.number_input] == [None] * 6
    assert app.selectbox(key="identify_precision").value == "float32"
    assert app.selectbox(key=key_of(app, "identify_other")).value is None


def test_set_up_is_passed_on() -> None:
    """Smoothing that is said is no accident: LS1 with ε = 0.1 is 1.3517."""
    app = paste(page(), "1.3517")
    run(app.number_input(key="identify_smoothing").set_value(0.1))
    assert words(app, "match_1")[0].endswith(" · LS1")


def test_class_weights_are_passed_on() -> None:
    """Σ w·loss ÷ Σ w of the 11 timesteps that count: 17.7 ÷ 16."""
    app = paste(page(identify_class_weights="1, 1, 2, 3, 1, 1"), "1.10625")
    assert words(app, "match_1")[0] == "### PyTorch with class weights · C24"
    assert "With 6 class weights" in texts(app, "caption")
    run(app.text_input(key="identify_class_weights").set_value("1, 2"))
    assert texts(app, "error") == ["`class_weights` must have 6 numbers, one for each class of `logits`; got 2."]
    run(app.text_input(key="identify_class_weights").set_value("one"))
    assert texts(app, "error") == ["Class weights: type numbers separated by commas, such as 1, 1, 0.5."]


def test_constant_length_is_passed_on_and_adopted() -> None:
    """13.8 ÷ (3 · 10)."""
    app = paste(page(identify_max_length=10), "0.46000")
    assert words(app, "match_1")[0].endswith(" · C17")
    click(app, "adopt_1")
    go(app, "Explore")
    assert number(app) == "0.4600"


def test_mask_of_the_sidebar_is_the_declared_one() -> None:
    """Without a mask 14.5 ÷ 15."""
    app = choose(paste(page(), "0.9667"), mask="none")
    assert sentence(app) == answer(identify(shown(app), "0.9667"), "0.9667")
    assert "the 15 timesteps that count" in sentence(app)


def test_answer_is_kept_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        "lossviz.ui.identify.answer_panel.identify", lambda *args, **more: calls.append(args) or identify(*args, **more)
    )
    app = paste(page(), "0.92")
    unfold(app, "identify_rest")
    run(app)
    assert len(calls) == 1
    paste(app, "1.2545")
    assert len(calls) == 2


def test_tokens_of_a_hostile_batch_stay_text() -> None:
    app = open_page("identify", view=pack(GOLDEN | {"sample": "tokens-hostile"}))
    batch = Batch.from_arrays(**load_sample("tokens-hostile"))
    paste(app, f"{float(analyze(batch).value):.5f}")
    said = [word for key in ("match_1", "identify_answer") for word in words(app, key)]
    assert said
    assert "<script" not in str(picture(app, "counted_1"))
