"""The page Learn without a browser: predict, commit, then see; hints, doors, addresses."""

import pytest

from lossviz.lessons import STEPS
from lossviz.ui.learn.code_panel import code_html
from lossviz.ui.shared.learn_links import TOPICS
from tests.ui.driver import (
    choose,
    click,
    container,
    go,
    heatmaps,
    key_of,
    nodes,
    number,
    open_app,
    open_page,
    picture,
    plain,
    run,
    state,
    texts,
)

SHOWN = {  # a step for each picture before, with the picture after
    "1.3": ("Targets", "Batch loss × mask = unpadded loss, nats"),
    "2.2": ("Unpadded loss, nats", "Batch loss × mask = unpadded loss, nats"),
    "2.4": ("Targets", "Which timesteps count: 9 of 18"),
    "2.5": (None, "Which timesteps count: 6 of 10"),
    "3.6": ("Which timesteps count: 76 of 88", "Batch loss × mask = unpadded loss, nats"),
    "3.8": ("Batch loss, nats", "Batch loss, if read × what is read = unpadded loss, nats"),
    "5.1": ("Batch loss, nats", "Batch loss × mask = unpadded loss, nats"),
}


def step(name, **query):
    chapter, _, place = name.partition(".")
    return open_page("learn", chapter=chapter, step=place, **query)


def has(app, key):
    return any(getattr(node, "key", None) == key for node in nodes(app.main))


def title(app):
    return picture(app, "learn_picture")["layout"]["title"]["text"] if has(app, "learn_picture") else None


def answer(app, *given):
    """Type into the fields, or choose in them, and press Check."""
    name = state(app).learning.at
    for place, text in enumerate(given):
        key = f"learn_answer_{name}_{place}"
        fields = [field for field in (*app.text_input, *app.button_group) if field.key == key]
        fields[0].set_value(text)
    return click(app, "learn_check")


def said(app):
    return [plain(text) for text in texts(app, "warning", "success", "info")]


@pytest.mark.parametrize("name", SHOWN)
def test_answer_is_not_in_the_page_before_the_commitment(name):
    app = step(name)
    before, after = SHOWN[name]
    assert title(app) == before
    assert not has(app, "learn_code")
    assert not has(app, "learn_door")
    assert said(app) == []
    click(app, "learn_show")
    assert title(app) == after
    assert has(app, "learn_code")
    assert state(app).learning.of(name).state == "shown"
    assert said(app)[0].startswith("**This is the answer.**")


def test_miss_is_answered_by_its_formula_and_nothing_is_erased():
    app = answer(step("2.3"), "1,1667")
    assert said(app) == [
        "You answered 1,1667. That divides by the 6 that count. reduce_mean sees ten numbers and divides by 10."
    ]
    assert app.text_input[0].value == "1,1667"
    assert title(app) == "Unpadded loss, nats"
    answer(app, "3.5")
    assert said(app) == ["You answered 3.5. That comes from a loop that divides by the 2 sequences. The sum is 7."]
    answer(app, "0.71")
    assert said(app)[0].startswith("**This is the answer.**")
    assert "You answered 0.71." in said(app)[0]
    assert state(app).learning.of("2.3").state == "shown"


def test_right_answer_shows_the_picture_the_code_and_the_door():
    app = answer(step("2.3"), "7/10")
    [text] = said(app)
    assert text.split("\n\n") == ["**Right.**", "**0.7**. The sum is 7. 7 ÷ 10 = 0.7.", STEPS["2.3"].why]
    assert len(heatmaps_of(app)) == 3
    html = code_html(STEPS["2.3"], "PyTorch")
    assert "<mark>loss = (losses * mask).mean()</mark>" in html
    click(app, "learn_again")
    assert title(app) == "Unpadded loss, nats"
    assert app.text_input[0].value == ""


def heatmaps_of(app):
    return [trace for trace in picture(app, "learn_picture")["data"] if (trace.get("meta") or {}).get("select")]


def test_empty_and_senseless_answers_are_no_misses():
    app = answer(step("2.3"), "")
    assert said(app) == ["Answer first; Show me works it out."]
    answer(app, "<b>seven</b>")
    assert said(app) == ["You answered <b>seven</b>. This is no number. Write 1.2545, 1,2545 or 13.8/11."]
    assert state(app).learning.of("2.3").misses == 0


def test_choices_and_several_questions():
    app = answer(step("2.8"), "Lower")
    assert said(app) == [
        "You answered Lower. It would be if the model had been trained to say padding. This one was not."
    ]
    answer(app, "Higher")
    assert said(app)[0].startswith("**Right.**")
    app = answer(step("3.2"), "27.6", "2.509")
    assert said(app) == [
        "**Mean over the timesteps that count**: You answered 2.509. The sum doubled, but so did the divisor."
    ]
    answer(app, "27.6", "13.8/11")
    assert state(app).learning.of("3.2").state == "right"


def test_cell_is_picked_in_the_picture():
    app = step("1.7")
    assert "Select a cell in the picture" in " ".join(plain(found.value) for found in app.markdown)
    for count, (cell, start) in enumerate((((0, 1), "You answered [0, 1]. It costs a lot"), ((2, 0), "**Right.**")), 1):
        app.session_state["learn_picture"] = {"event": {"cell": list(cell), "number": count}}
        run(app)
        click(app, "learn_check")
        assert said(app)[0].startswith(start)


def test_flags_are_switched_after_the_answer_and_contradictions_are_refused():
    app = step("4.6")
    assert not app.checkbox
    click(app, "learn_show")
    run(app.checkbox(key="learn_sum_over_batch_4.6").check())
    assert "cannot both be True" in plain(app.error[0].value)
    run(app.checkbox(key="learn_average_across_batch_4.6").uncheck())
    run(app.checkbox(key="learn_average_across_timesteps_4.6").uncheck())
    assert not app.error


def test_variants_show_other_batches_after_the_answer():
    app = step("1.5")
    assert [plain(found.value) for found in app.markdown if "| class |" in found.value]
    click(app, "learn_show")
    group = next(found for found in app.button_group if found.key == "learn_variant_1.5")
    run(group.set_value("Doubled"))
    assert "0.318" in " ".join(found.value for found in app.latex)


def test_next_and_previous_walk_over_the_chapters():
    app = step("1.7")
    click(app, "learn_next_button")
    assert app.header[0].value == "2.1 What the mask keeps"
    click(app, "learn_previous_button")
    assert app.header[0].value == "1.7 Loud is not yet wrong"
    last = step("5.8")
    assert last.button(key="learn_next_button").disabled


@pytest.mark.parametrize(("chapter", "place", "shown"), [("9", "1", "1.1"), ("2", "99", "2.1"), ("x", "<b>", "1.1")])
def test_addresses_that_no_step_has_open_one_that_exists(chapter, place, shown):
    assert open_page("learn", chapter=chapter, step=place).header[0].value.split()[0] == shown


def test_end_of_a_chapter_asks_earlier_steps_again_and_keeps_their_marks():
    app = answer(step("1.3"), "4.5951")
    for _ in range(13):
        click(app, "learn_next_button")
    assert app.header[0].value.startswith("3.1 ")
    click(app, "learn_previous_button")
    assert not has(app, "learn_recall")
    click(app, "learn_show")
    click(app, "learn_recall_1.3")
    assert app.header[0].value == "1.3 The loss of knowing nothing"
    assert app.text_input[0].value == ""
    assert (state(app).learning.of("1.3").state, state(app).learning.best("1.3").state) == ("open", "right")
    assert "3 ●" in app.caption[0].value


def test_step_bar_is_the_address():
    app = step("2.3")
    bar = next(field for field in app.button_group if field.key == key_of(app, "chapter"))
    run(bar.set_value("4"))
    assert app.header[0].value == "4.1 Two averages"
    assert [app.query_params[name] for name in ("chapter", "step")] == ["4", "1"]
    click(app, "learn_next_button")
    assert app.query_params["step"] == "2"


def test_start_over_can_be_undone():
    app = answer(step("2.3"), "0.7")
    click(app, "learn_start_over")
    assert state(app).learning.done == {}
    assert title(app) == "Unpadded loss, nats"
    click(app, "learn_take_back")
    assert state(app).learning.of("2.3").state == "right"


def test_door_opens_the_live_page_with_the_batch_its_settings_and_its_number():
    app = open_app(lesson="2.7")
    assert number(app) == "1.2900"
    assert state(app).cell == (1, 1)
    app = open_app(lesson="5.4")
    assert number(app) == "0.4600"
    assert state(app).source.current.shape == (3, 10, 6)
    assert choose(app, reduction="mean") is app
    assert number(app) == "1.2545"
    app = open_page("identify", lesson="5.7")
    assert state(app).source.printed == "0.175"
    assert open_app(lesson="9.9").query_params.get("lesson") is None


def test_sidebar_keeps_what_was_chosen_while_the_lessons_are_open():
    app = choose(open_app(), sample="golden", reduction="counted")
    go(app, "Learn")
    assert not app.sidebar.selectbox
    go(app, "Explore")
    assert state(app).source.name == "golden"
    assert container(app, "explore_divisor")
    assert number(app) == "1.2545"
    assert heatmaps(app)


def test_blanks_show_what_the_picked_lines_print_beside_the_right_ones():
    app = step("3.10")
    assert "……" in app.code[0].value
    click(app, "learn_check")
    assert said(app) == ["Pick a line for every blank."]
    picked = ("tf.cast(tf.sign(final_tokens), tf.float32)", "final_tokens", "tf.reduce_mean(losses * binary_sequences)")
    for at, code in enumerate(picked):
        next(field for field in app.button_group if field.key == f"learn_answer_3.10_0_{at}").set_value(code)
    click(app, "learn_check")
    assert said(app) == [
        "It prints 0.86. It loses every word whose id is 0, and in this batch there is one.",
    ]
    outcomes = [
        plain(found.value) for found in app.markdown if found.value.startswith("**") and "prints" in found.value
    ]
    assert outcomes == ["**Yours**: it prints 0.86", "**The right lines**: it prints 4.6"]
    assert picture(app, "learn_outcome_Yours")["data"]
    assert "tf.sign(final_tokens)" in app.code[0].value


def test_teacher_walks_through_four_stops_and_counts_votes():
    app = step("2.3", teacher="1")
    assert not app.sidebar.selectbox
    assert not app.text_input
    assert not app.checkbox
    assert not has(app, "learn_next")
    options = [field for field in app.button if str(field.key).startswith("teacher_option")]
    assert options == []
    click(app, "teacher_on")
    assert [field.label for field in app.button if str(field.key).startswith("teacher_option")] == [
        "1: 0\\.7  ·  0",
        "2: 1\\.1667  ·  0",
        "3: 3\\.1  ·  0",
    ]
    for place in (0, 2, 2):
        click(app, f"teacher_option_2.3_{place}")
    assert app.query_params["votes"] == "1-0-2"
    click(app, "teacher_on")
    labels = [plain(field.label) for field in app.button if str(field.key).startswith("teacher_option")]
    assert labels == ["✓ 0.7  ·  1", "– 1.1667  ·  0", "– 3.1  ·  2"]
    click(app, "teacher_blank_button")
    assert not has(app, "learn_question")
    click(app, "teacher_on")
    assert STEPS["2.3"].why in [plain(found.value) for found in app.markdown]
    click(app, "teacher_on")
    assert app.header[0].value == "2.4 The width of sequence_mask"
    click(app, "teacher_back")
    assert app.header[0].value == "2.3 The mean of what?"
    click(app, "teacher_leave")
    assert has(app, "learn_next")


def test_link_to_a_stop_restores_the_tally_and_survives_nonsense():
    app = step("2.3", teacher="1", stop="2", votes="4-0-1")
    assert "✓ 0.7  ·  4" in [plain(field.label) for field in app.button]
    app = step("2.3", teacher="1", stop="2", votes="<b>-1-9999")
    assert "✓ 0.7  ·  0" in [plain(field.label) for field in app.button]
    assert step("2.3", teacher="1", stop="77").header[0].value == "2.3 The mean of what?"


def test_every_topic_that_a_page_links_to_is_a_step():
    assert set(TOPICS.values()) <= set(STEPS)
    assert has(choose(open_app(), sample="golden", reduction="sequence_loss"), "learn_links")
