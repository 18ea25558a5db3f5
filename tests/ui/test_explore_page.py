"""The page as a user reads it: the number, its divisor, the counts, the problems, under every choice in the sidebar."""

from collections.abc import Callable

import numpy as np
import pytest
import streamlit

from lossviz import Analysis, Batch, Settings, analyze
from lossviz.headline import headline
from lossviz.reductions import CALCULATIONS, FLAGS, REDUCTIONS
from lossviz.samples import DEFAULT, SAMPLES, load_sample
from lossviz.ui.link import pack
from lossviz.ui.session.default_reduction import trained_with
from lossviz.ui.shared.loop_options import SETTINGS_OPTIONS
from tests.ui.driver import (
    choose,
    click,
    container,
    counting,
    decoded,
    divisor,
    door,
    fill,
    flags,
    go,
    header,
    heatmaps,
    key_of,
    metrics,
    number,
    open_app,
    picture,
    run,
    sample,
    select,
    shown,
    state,
    texts,
    unfold,
)

CLASSIFICATION = (
    "`reduction='classification'` needs one sigmoid logit per timestep, `logits` of shape (B, T, 1); got (3, 5, 6). "
    "For 6 classes choose 'mean', 'language_model' or 'encoder_decoder'."
)
AMBIGUOUS = (
    "`average_across_timesteps` and `sum_over_batch` cannot both be True because of ambiguous order: averaging first "
    "and then summing gives another number than summing first and then averaging. "
    "Set one of them to False, or use both averages or both sums."
)
LESSONS = {entry.name: entry.lesson for entry in SAMPLES}

OPTIONS = [option.name for option in SETTINGS_OPTIONS]


def batch_of(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))


def test_first_page_shows_the_trained_sample() -> None:
    """Number, divisor and counts are those of the analysis, and the number is the one worked out by hand."""
    app = open_app()
    analysis = analyze(batch_of("alice-trained"))
    batch = analysis.batch
    z = np.asarray(batch.logits, np.float64)
    loss = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, batch.targets[..., None], -1)[..., 0]
    mask = np.arange(batch.shape[1]) < batch.lengths[:, None]
    assert number(app) == f"{loss[mask].mean():.4f}"
    assert divisor(app) == ("Divided by timesteps that count", str(mask.sum()))
    assert metrics(app) == {
        "Loss, nats per timestep": headline(analysis).value,
        "Divided by timesteps that count": headline(analysis).divisor,
        "Perplexity": headline(analysis).perplexity,
        f"Counted, of {mask.size} timesteps": str(mask.sum()),
        "Padding": f"{100 * (1 - mask.mean()):.0f} %",
    }
    assert texts(app, "warning", "error", "info") == []
    assert DEFAULT == "alice-trained"


def test_first_page_draws_the_equation() -> None:
    """The three heatmaps hold batch loss, mask and unpadded loss."""
    app = open_app()
    analysis = analyze(batch_of(DEFAULT))
    batch_loss, mask, unpadded = heatmaps(app)
    assert batch_loss == pytest.approx(analysis.batch_loss, rel=1e-6)
    assert mask.tolist() == analysis.mask.tolist()
    assert unpadded[analysis.mask] == pytest.approx(analysis.unpadded_loss[analysis.mask], rel=1e-6)


@pytest.mark.parametrize(
    "key",
    ["explore_number", "explore_divisor", "explore_equation", "explore_cell", "explore_source", "explore_reduction"],
)
def test_container_has_its_key(key: str) -> None:
    assert container(open_app(), key).key == key


@pytest.mark.parametrize("name", LESSONS)
def test_sample_opens_with_its_problems_in_words(name: str) -> None:
    """Every sample gives a number or says why not, its lesson, and what is wrong with it."""
    app = sample(name)
    analysis = analyze(batch_of(name), Settings(reduction=trained_with(name) or "mean"))
    assert number(app) == headline(analysis).value
    assert LESSONS[name] in texts(app, "caption")
    assert sorted(texts(app, "warning", "info")) == sorted(problem.message for problem in analysis.problems)
    assert texts(app, "error") == []
    assert len(heatmaps(app)) == 3


@pytest.mark.parametrize("name", LESSONS)
def test_first_cell_of_a_sample_opens(name: str) -> None:
    """Its arithmetic is that of `explain`, whatever is wrong with the batch."""
    app = select(sample(name), 0, 1)
    explanation = shown(app).explain(0, 1)
    assert [str(block.value).strip("$\n") for block in app.latex] == [explanation.latex]
    assert explanation.note in ["", *texts(app, "warning")]


@pytest.mark.parametrize(
    ("reduction", "value", "divided"),
    [
        ("mean", "1.2545", ("Divided by timesteps that count", "11")),
        ("language_model", "13.8000", ("Divided by nothing", "1")),
        ("encoder_decoder", "4.6000", ("Divided by sequences in the batch", "3")),
        ("sequence_loss", "1.2545", ("Divided by timesteps that count", "11")),
        ("counted", "1.2545", ("Divided by timesteps with a weight other than 0", "11")),
        ("positions", "0.9200", ("Divided by positions, padding included", "15")),
        ("max_length", "0.9200", ("Divided by positions, L_max in each sequence", "15")),
        ("timesteps", "2.7600", ("Divided by timesteps of the padded width", "5")),
        ("timesteps_less_one", "3.4500", ("Divided by timesteps of the padded width, less one", "4")),
        ("with_first_labels", "0.9857", ("Divided by timesteps that count, and each sequence's first label", "14")),
        ("without_stops", "1.7250", ("Divided by timesteps that count, less one for each sequence", "8")),
        ("timesteps_twice", "0.2509", ("Divided by timesteps that count, times the padded width", "55")),
        ("decoder_length", "3.3455", ("Divided by timesteps that count, over the mean length less 1", "4.125")),
        ("sequence_means", "1.4200", ("Divided by sequences, each by its own mean", "3")),
        (
            "filled_sequence_means",
            "1.4200",
            ("Divided by sequences that are not empty, each by its own mean", "3"),
        ),
        ("timestep_means", "1.1300", ("Divided by timesteps, each by its own mean", "5")),
        ("timestep_means_sum", "5.6500", ("Divided by nothing", "1")),
    ],
)
def test_reduction_gives_number_and_divisor(reduction: str, value: str, divided: tuple[str, str]) -> None:
    """13.8 nats over 11 timesteps and 3 sequences, as in spec/conventions.md."""
    app = choose(sample("golden"), reduction=reduction)
    assert (number(app), divisor(app)) == (value, divided)


def test_reductions_are_listed_with_the_five_calculations_first() -> None:
    titles = [reduction.title for reduction in (*CALCULATIONS, *REDUCTIONS[5:])]
    app = open_app()
    assert app.selectbox(key=key_of(app, "reduction")).options == titles


def test_reduction_asks_for_the_number_that_it_needs() -> None:
    """Until it is given there is no number, in words; golden's first two sequences have 9.2 nats over 9 timesteps."""
    app = sample("golden")
    assert [found.label for found in app.number_input if found.key.partition(":")[0] in OPTIONS] == []
    choose(app, reduction="micro_batch_means")
    [option] = [found.label for found in app.number_input if found.key.partition(":")[0] in OPTIONS]
    assert option == "Accumulation steps"
    assert number(app) == "no number"
    assert texts(app, "error") == [
        (
            "`reduction='micro_batch_means'` needs `accumulation_steps`; got None. "
            "Say how many micro-batches the batch was cut into."
        )
    ]
    assert len(heatmaps(app)) == 3
    fill(app, accumulation_steps=2)
    assert texts(app, "error") == []
    assert number(app) == f"{(9.2 / 9 + 4.6 / 2) / 2:.4f}"
    assert divisor(app) == ("Divided by micro-batches, each by its own mean", "2")


def test_reduction_takes_the_width_where_its_length_is_not_given() -> None:
    app = choose(sample("golden"), reduction="max_length")
    assert [found.label for found in app.number_input if found.key.partition(":")[0] in OPTIONS] == [
        "Constant length L_max"
    ]
    assert number(app) == f"{13.8 / 15:.4f}"
    assert number(fill(app, max_length=10)) == f"{13.8 / 30:.4f}"
    assert number(fill(app, max_length=None)) == f"{13.8 / 15:.4f}"


def test_number_of_a_reduction_survives_another_one() -> None:
    app = fill(choose(sample("golden"), reduction="micro_batch_means"), accumulation_steps=3)
    choose(app, reduction="mean")
    assert number(app) == "1.2545"
    choose(app, reduction="micro_batch_means")
    assert app.number_input(key=key_of(app, "accumulation_steps")).value == 3
    assert number(app) == "1.4200"


def test_cell_of_a_mean_of_means_shows_both_divisions() -> None:
    app = select(choose(sample("golden"), reduction="sequence_means"), 0, 2)
    (latex,) = [str(block.value) for block in app.latex]
    assert r"\sum_t w_{bt} &= 5 && \text{divided by, in its sequence}" in latex
    assert r"\mathrm{divisor} &= 3 && \text{divided by}" in latex


def test_classification_of_several_classes_is_refused_with_the_picture_still_there() -> None:
    app = choose(sample("golden"), reduction="classification")
    assert number(app) == "no number"
    assert texts(app, "error") == [CLASSIFICATION]
    assert heatmaps(app)[0] == pytest.approx(analyze(batch_of("golden")).batch_loss, rel=1e-6)


def test_perplexity_is_of_means_only() -> None:
    """A sum has none."""
    app = choose(sample("golden"), reduction="language_model")
    assert metrics(app)["Perplexity"] == "–"
    choose(app, reduction="mean")
    assert metrics(app)["Perplexity"] == f"{np.exp(13.8 / 11):.4f}"


def test_large_perplexity_and_one_timestep_stay_readable() -> None:
    """exp of a confident mistake has more digits than its column; the help has them all."""
    app = door(open_app(), "Type")
    run(app.text_area(key="typed_text").set_value("1"))
    choose(app, typed_kind="pasted")
    run(app.text_area(key="typed_pasted").set_value("12 0"))
    found = {str(metric.label): metric for metric in app.metric}
    assert found["Perplexity"].value == "162756"
    assert found["Perplexity"].help.startswith("All digits: 162755.7914, exp of a mean loss")
    assert found["Counted, of 1 timestep"].value == "1"


def test_flags_are_shown_with_their_defaults_for_sequence_loss_only() -> None:
    app = sample("golden")
    assert [box.label for box in app.checkbox] == []
    choose(app, reduction="sequence_loss")
    assert [(box.label, box.value) for box in app.checkbox] == list(zip(FLAGS, (True, True, False, False), strict=True))


def test_illegal_flags_are_answered_with_the_reason_and_the_picture() -> None:
    """They can be chosen; the sentence is the exact one; unchecking brings the number back."""
    app = flags(choose(sample("golden"), reduction="sequence_loss"), sum_over_batch=True, average_across_batch=False)
    assert number(app) == "no number"
    assert texts(app, "error") == [AMBIGUOUS]
    assert [found.label for found in app.metric] == ["Loss", "Perplexity", "Counted, of 15 timesteps", "Padding"]
    assert len(heatmaps(app)) == 3
    assert [note for note in picture(app)["layout"]["annotations"] if note.get("name") == "divisor"] == []
    flags(app, average_across_timesteps=False, sum_over_timesteps=True)
    assert texts(app, "error") == []
    assert (number(app), divisor(app)) == ("1.2545", ("Divided by timesteps with a weight other than 0", "11"))


def test_flags_that_keep_the_batch_give_a_number_for_each_sequence() -> None:
    """The row sums of golden over its lengths 5, 4 and 2."""
    app = flags(choose(sample("golden"), reduction="sequence_loss"), average_across_batch=False)
    assert number(app) == "3 numbers"
    table = next(frame.value for frame in app.dataframe if "value" in frame.value)
    assert table["value"].tolist() == pytest.approx([6.8 / 5, 2.4 / 4, 4.6 / 2], rel=1e-6)
    assert divisor(app) == ("Divided by timesteps that count of each sequence", "one each")


def test_flags_survive_another_reduction() -> None:
    """What was ticked is still ticked when the flags come back."""
    app = flags(choose(sample("golden"), reduction="sequence_loss"), average_across_batch=False)
    choose(app, reduction="mean")
    choose(app, reduction="sequence_loss")
    assert [box.value for box in app.checkbox] == [True, False, False, False]
    assert number(app) == "3 numbers"


@pytest.mark.parametrize(
    ("mask", "value", "counts"),
    [("lengths", "1.2545", "11 of 15"), ("nonpad", "1.2900", "10 of 15"), ("none", "0.9667", "15 of 15")],
)
def test_mask_changes_number_and_counts(mask: str, value: str, counts: str) -> None:
    """By lengths 13.8 / 11; by the sign of the targets without the 0 that costs 0.9 nats; without a mask 14.5 / 15."""
    app = choose(sample("golden"), mask=mask)
    assert (number(app), counting(app)) == (value, counts)


@pytest.mark.parametrize("mask", ["weights", "ignore_id"])
def test_mask_without_its_data_is_refused_in_words(mask: str) -> None:
    """The picture is that of the declared mask, and choosing another one brings the number back."""
    app = choose(sample("golden"), mask=mask)
    assert number(app) == "no number"
    assert texts(app, "error") == [
        (
            f"`mask='{mask}'` needs `{mask}`, which this batch does not have. "
            f"Give it `{mask}`, or use the mask that it declares: 'lengths'."
        )
    ]
    assert counting(app) == "11 of 15"
    assert number(choose(app, mask="declared")) == "1.2545"


def test_mask_says_what_the_batch_declares() -> None:
    app = sample("weights-fractional")
    assert app.selectbox(key=key_of(app, "mask")).options[0] == "As the batch says: weights"


def test_quantity_changes_the_picture_and_not_the_number() -> None:
    app = sample("golden")
    losses = heatmaps(app)[0]
    choose(app, quantity="probability")
    assert number(app) == "1.2545"
    assert heatmaps(app)[0] == pytest.approx(np.exp(-losses), rel=1e-5)


@pytest.mark.parametrize("quantity", ["entropy", "gradient_norm", "share"])
def test_quantity_is_drawn(quantity: str) -> None:
    app = choose(sample("golden"), quantity=quantity)
    assert heatmaps(app)[0] == pytest.approx(getattr(analyze(batch_of("golden")), quantity), rel=1e-5)


def test_another_sample_keeps_the_quantity_and_opens_as_it_comes() -> None:
    app = choose(sample("golden"), reduction="language_model", quantity="rank", mask="none")
    choose(app, sample="lengths-3-4-2")
    assert (app.selectbox(key=key_of(app, "reduction")).value, app.selectbox(key="quantity").value) == (
        "mean",
        "rank",
    )
    assert app.selectbox(key=key_of(app, "mask")).value == "declared"


def test_one_sigmoid_logit_can_be_classified() -> None:
    """V = 1: the reduction is offered in words, and gives the sigmoid loss of each last timestep."""
    app = typed_ones()
    assert texts(app, "info") == [
        (
            "There is one class, so its softmax probability is always 1 and the loss is 0. "
            "For one sigmoid logit per timestep choose the reduction “Sigmoid sum (classifier)” (`classification`)."
        )
    ]
    choose(app, reduction="classification")
    last = np.array([0.5, -1.0])
    assert number(app) == f"{(np.log1p(np.exp(last)) - last * np.array([0, 1])).sum():.4f}"


def test_logit_of_a_sigmoid_can_be_edited() -> None:
    """Class 0 is the constant 0 and no entry of the batch; class 1 is the batch's only logit."""
    from tests.ui.driver import edit_table

    app = select(choose(typed_ones(), reduction="classification"), 0, 1)
    [table] = [frame for frame in app.dataframe if str(frame.key).startswith("logits:")]
    assert table.value["class"].tolist() == [1]
    edit_table(app, table.key, 0, "logit", 2.0)
    assert shown(app).batch.logits[0, 1, 0] == 2.0
    assert number(app) == f"{np.log1p(np.exp([2.0, -1.0])).sum() - -1.0:.4f}"


def typed_ones() -> object:
    view = {
        "door": "Type",
        "typed_text": "0 0\n1",
        "typed_kind": "pasted",
        "typed_pasted": "[[[3], [0.5]], [[-1], [9]]]",
    }
    return open_app(view=pack(view))


def test_code_panel_holds_code_that_gives_the_number() -> None:
    """One tab a library; the NumPy code prints the number on the page."""
    import contextlib
    import io

    app = sample("golden")
    app.session_state["code"] = True
    app.run()
    assert [tab.label for tab in app.tabs] == ["TensorFlow", "PyTorch", "JAX", "NumPy"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(app.code[3].value, {})  # noqa: S102 (our own code)
    assert f"{float(printed.getvalue()):.4f}" == number(app)


def test_long_computation_shows_progress_and_a_button(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it runs; once it has ended nothing of it is left."""
    seen: list[tuple[bool, int]] = []

    def watched(batch: Batch, settings: Settings, *, progress: Callable[[int, int], None]) -> Analysis:
        progress(1, 2)
        seen.append(("stop" in streamlit.session_state, batch.logits.size))
        return analyze(batch, settings)

    monkeypatch.setattr("lossviz.ui.shared.computation.LONG", 1)
    monkeypatch.setattr("lossviz.ui.shared.computation.analyze", watched)
    app = sample("golden")
    assert seen == [(True, 8 * 14 * 640), (True, 3 * 5 * 6)]
    assert number(app) == "1.2545"
    assert "stop" not in [button.key for button in app.button]


def test_stopped_computation_can_be_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says so, offers to compute, and the doors stay open."""
    app = sample("golden")
    fresh = state(app)
    fresh._analysis, fresh.stopped = None, fresh.source.current
    run(app)
    assert texts(app, "info") == ["Stopped. Nothing was computed for this batch."]
    assert [found.label for found in app.metric] == []
    assert number(choose(app, sample="lengths-3-4-2")) == "1.3333"
    choose(app, sample="golden")
    assert [found.label for found in app.metric] == []
    click(app, "compute")
    assert (number(app), texts(app, "info")) == ("1.2545", [])


def test_settings_of_the_page_are_the_settings_of_the_analysis() -> None:
    app = choose(sample("golden"), mask="nonpad", reduction="language_model")
    assert shown(app).settings == Settings(mask="nonpad", reduction="language_model")


def test_large_batch_is_drawn_as_overview_and_detail() -> None:
    """The 64 sequences of 32 timesteps fit; a wider one gets an overview and two sliders."""
    app = open_app(view=pack({"door": "Type", "typed_text": "\n".join(["a b " * 100] * 70), "typed_kind": "uniform"}))
    assert len(picture(app, "overview")["data"]) > 0
    assert [(slider.label, slider.value, slider.max) for slider in app.slider] == [
        ("First sequence", 0, 38),
        ("First timestep", 0, 136),
    ]
    assert [grid.shape for grid in heatmaps(app)] == [(32, 64)] * 3
    before = header(app, "overview")
    app.slider[0].set_value(38).run()
    assert decoded(picture(app)["data"][0]["y"]).tolist() == list(range(38, 70))
    after = header(app, "overview")
    assert [(shape["y0"], shape["y1"]) for one in (before, after) for shape in one["shapes"]] == [
        (-0.5, 31.5),
        (37.5, 69.5),
    ]
    assert after["digest"] == before["digest"]  # the overview itself is not drawn again


def test_no_result_is_drawn_while_the_flags_are_refused() -> None:
    """Neither in the picture, nor in the arithmetic of a cell, nor in the Doctor's picture."""
    app = select(sample("golden"), 0, 2)
    choose(app, reduction="sequence_loss")
    flags(app, sum_over_batch=True)
    assert number(app) == "no number"
    assert [note for note in picture(app)["layout"]["annotations"] if note["name"] in ("divisor", "total")] == []
    [arithmetic] = [found.value for found in app.latex]
    assert "times weight" in arithmetic
    assert "divided by" not in arithmetic
    assert "adds to the number" not in arithmetic
    assert "probability 0.0302 · rank 6 · entropy 1.6963 nats" in texts(app, "caption")
    go(app, "Doctor")
    assert [
        note for note in picture(app, "doctor_equation")["layout"]["annotations"] if note["name"] == "divisor"
    ] == []


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_mask_is_shown_as_tensorflow_prints_it(dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    app = unfold(sample("golden"), "mask_array")
    app.session_state["mask_type"] = dtype
    app.run()
    print(tf.sequence_mask([5, 4, 2], dtype=getattr(tf, dtype)))
    assert app.code[0].value == capsys.readouterr().out.rstrip("\n")
