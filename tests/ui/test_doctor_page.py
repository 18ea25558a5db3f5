"""The page Doctor: the sentence, the cards, the fix and its undo, the rules and their samples; the badge elsewhere."""

import io
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lossviz import Analysis, Batch, analyze, diagnose
from lossviz.formats import write
from lossviz.rules import RULES, Diagnosis, Found, Rule, load_rule_sample, rule_samples
from lossviz.samples import load_sample
from lossviz.ui.doctor.finding_card import DOCS
from lossviz.ui.link import pack
from lossviz.ui.shared import findings_badge
from tests.ui.driver import (
    address,
    choose,
    click,
    container,
    decoded,
    door,
    go,
    key_of,
    metrics,
    nodes,
    number,
    open_app,
    open_page,
    picture,
    plain,
    run,
    sample,
    state,
    texts,
    unfold,
    upload,
)

PICTURE = "doctor_equation"
BAD = "SHF05-mask-of-the-inputs/bad"
WITH_SAMPLES = [sample.rule for sample in rule_samples() if sample.kind == "bad" and sample.path.is_file()]
TITLES = {rule.code: rule.title for rule in RULES}


def page(name: str, **view: Any) -> AppTest:
    """The page Doctor with a sample on it."""
    return open_page("doctor", view=pack({"door": "Sample", "sample": name, **view}))


def uploaded(**fields: Any) -> AppTest:
    """Explore with a batch from a file."""
    file = io.BytesIO()
    write({name: np.asarray(value) for name, value in fields.items()}, file, "npz")
    return upload(door(open_app(), "Open"), b_npz=file.getvalue())


def opened(**fields: Any) -> AppTest:
    """The page Doctor with a batch from a file."""
    return go(uploaded(**fields), "Doctor")


def rule_batch(code: str, kind: str) -> Batch:
    return Batch.from_arrays(**load_rule_sample(code, kind))


def loss(code: str, kind: str) -> str:
    return f"{analyze(rule_batch(code, kind)).value:.4f}"


def answer(app: AppTest) -> str:
    first = next(node for node in nodes(container(app, "doctor_answer")) if node.type == "markdown")
    return plain(str(first.value)).removeprefix("## ")


def cards(app: AppTest) -> list[str]:
    keys = [getattr(node, "key", None) or "" for node in nodes(app.main)]
    return [key.removeprefix("finding_") for key in keys if key.startswith("finding_")]


def words(app: AppTest, key: str) -> list[str]:
    """What stands in a container, as a person reads it."""
    found = [node for node in nodes(container(app, key)) if node.type in ("markdown", "caption", "code")]
    return [plain(str(node.value)) for node in found]


def outlined(app: AppTest) -> tuple[float, float, float, float]:
    """The ends of the outline in the first of the three heatmaps: left, right, top, bottom."""
    lines = [trace for trace in picture(app, PICTURE)["data"] if trace.get("name") == "highlight"]
    assert len(lines) == 3
    x, y = decoded(lines[0]["x"]), decoded(lines[0]["y"])
    return float(np.nanmin(x)), float(np.nanmax(x)), float(np.nanmin(y)), float(np.nanmax(y))


def drawn_in(app: AppTest) -> list[str]:
    """The cards that hold the picture."""
    keys = {
        code: [getattr(node, "key", None) for node in nodes(container(app, f"finding_{code}"))] for code in cards(app)
    }
    return [code for code, inside in keys.items() if PICTURE in inside]


def badge(app: AppTest) -> tuple[str, str]:
    found = next(node for node in nodes(container(app, "doctor_badge")) if node.type == "page_link")
    assert found.proto.page == "doctor"
    return str(found.proto.label), str(found.proto.help)


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put rules into the catalogue that `diagnose` runs."""

    def use(*more: Rule) -> None:
        monkeypatch.setattr("lossviz.rules._diagnose.RULES", (*RULES, *more))

    return use


def broken(case: Any) -> Found | None:
    raise ZeroDivisionError("a mistake")


def test_clean_batch_says_how_many_rules_looked_at_it() -> None:
    app = page("alice-trained")
    states = [outcome.state for outcome in diagnose(Batch.from_arrays(**load_sample("alice-trained"))).outcomes]
    passed, skipped = states.count("passed"), states.count("skipped")
    assert answer(app) == f"Nothing found: {passed} rules passed, {skipped} could not tell or did not apply"
    assert "If the number is not the one that your loop prints" in " ".join(texts(app, "markdown"))
    assert cards(app) == []
    assert [button.key for button in app.button if button.key != "words"] == []


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({}, "Loss 1.2545 nats per timestep, divided by 11 (timesteps that count); mask: lengths"),
        (
            {"reduction": "language_model"},
            "Loss 13.8000 nats, divided by nothing: the losses are summed; mask: lengths",
        ),
        (
            {"reduction": "sequence_loss", "flag_average_across_batch": False},
            "Loss 3 numbers, each divided by timesteps that count of each sequence; mask: lengths",
        ),
        (
            {"mask": "none"},
            (
                "Loss 0.9667 nats per timestep, divided by 15 (timesteps that count); mask: none, chosen in the "
                "sidebar; the batch says lengths"
            ),
        ),
    ],
)
def test_number_is_said_with_its_divisor(view: dict[str, Any], said: str) -> None:
    assert said in words(page("golden", **view), "doctor_answer")


def test_note_is_no_error_and_no_warning() -> None:
    app = page("golden")
    assert (answer(app), cards(app)) == ("No error and no warning, 1 note", ["PAD04"])
    assert "Nothing to apply: the arrays alone do not say what is right." in texts(app, "caption")


def test_mask_that_was_not_chosen_is_one_click_away() -> None:
    """14.5 ÷ 15 with "No mask"; 13.8 ÷ 11 with the lengths of the batch."""
    app = page("golden", mask="none")
    assert (answer(app), cards(app)) == ("1 warning, 1 note", ["PAD01", "PAD04"])
    assert [(shown.label, shown.value) for shown in app.metric] == [("Loss now", "0.9667"), ("After the fix", "1.2545")]
    assert [caption for caption in texts(app, "caption") if caption.startswith("Nothing to apply")] == []
    click(app, "apply_PAD01")
    assert (answer(app), app.selectbox(key=key_of(app, "mask")).value) == (
        "No error and no warning, 1 note",
        "declared",
    )


def test_first_finding_is_open_and_another_opens_by_its_button() -> None:
    """Each is drawn on the equation when it is selected, and the address says which."""
    app = page("logits-inf")
    batch = Batch.from_arrays(**load_sample("logits-inf"))
    first, second = diagnose(batch).findings
    assert (answer(app), cards(app)) == ("2 errors", [first.code, second.code])
    assert texts(app, "markdown").count("#### What to write instead") == 1
    assert (first.code, second.code) == ("NUM03", "NUM06")
    assert (drawn_in(app), outlined(app)) == (["NUM03"], (0.5, 1.5, -0.5, 0.5))
    click(app, "show_NUM06")
    assert (drawn_in(app), outlined(app)) == (["NUM06"], (-0.5, 0.5, -0.5, 0.5))
    assert [button.key for button in app.button if button.key != "words"] == ["show_NUM03"]
    assert drawn_in(open_page("doctor", view=address(app))) == ["NUM06"]


def test_card_says_everything_of_the_finding() -> None:
    app = page(BAD)
    finding = diagnose(rule_batch("SHF05", "bad")).findings[0]
    said = words(app, "finding_SHF05")
    assert f"### SHF05 · {TITLES['SHF05']}" in said
    assert finding.message in said
    assert ":red-badge[:material/error: Error]" in said
    assert [code for code in finding.fix.values() if code not in said] == []
    assert [str(tab.label) for tab in app.tabs] == ["TensorFlow and Keras", "PyTorch", "JAX and optax"]
    sections = DOCS["SHF05"]
    assert plain(f"**When it is a false alarm.** {sections['When it is a false alarm']}") in said
    assert f"Met in: {' '.join(sections['Threads'].split())}" in said
    assert "pads that count **2** · targets that don't **0** · padded sequences **2**" in said


def test_finding_is_outlined_in_all_three_heatmaps() -> None:
    """The mask of the inputs counts the pad after the end: timestep 4 of sequence 0 and 5 of sequence 2."""
    app = page(BAD)
    assert outlined(app) == (3.5, 5.5, -0.5, 2.5)


def test_selected_cell_is_that_of_explore() -> None:
    app = page(BAD)
    app.session_state[PICTURE] = {"event": {"cell": [0, 4], "number": 1}}
    run(app)
    assert state(app).cell == (0, 4)
    assert [line for line in texts(app, "caption") if line.startswith("Sequence 0, timestep 4: probability ")]
    go(app, "Explore")
    assert "## Sequence 0, timestep 4: target <pad>, read “<eos>”" in texts(app, "markdown")


def test_fix_is_applied_and_undone_with_both_numbers() -> None:
    """The bad batch repaired has the number of the good one, on every page; undo gives the bad one back."""
    app = page(BAD)
    bad, good = loss("SHF05", "bad"), loss("SHF05", "good")
    assert {name: metrics(app)[name] for name in ("Loss now", "After the fix")} == {
        "Loss now": bad,
        "After the fix": good,
    }
    click(app, "apply_SHF05")
    assert answer(app).startswith("Nothing found: ")
    assert {name: plain(value) for name, value in metrics(app).items()} == {
        "Before SHF05 was repaired": bad,
        "Now": good,
    }
    go(app, "Explore")
    assert (number(app), badge(app)[0]) == (good, "No finding")
    assert "**0 entries differ since the repair of SHF05**" in texts(app, "markdown")
    click(app, "undo")
    assert (number(app), badge(app)[0]) == (bad, "1 finding")
    click(app, "redo")
    go(app, "Doctor")
    click(app, "doctor_undo")
    assert (answer(app), cards(app)) == ("1 error", ["SHF05"])
    assert state(app).source.current.lengths.tolist() == state(app).source.batch.lengths.tolist()


def test_fix_in_the_weights_wins_over_the_mask_of_the_sidebar() -> None:
    """The first timestep leaves the loss by weights: the mask of lengths would hide that, and comes back with undo."""
    app = page("SHF04-timestep-never-predicted/bad", mask="lengths")
    promised = metrics(app)["After the fix"]
    click(app, "apply_SHF04")
    assert metrics(app)["Now"] == promised
    assert (app.session_state["mask"], state(app).source.current.declared_mask) == ("declared", "weights")
    click(app, "doctor_undo")
    assert (app.session_state["mask"], answer(app)) == ("lengths", "1 error")
    go(app, "Explore")
    click(app, "redo")
    assert app.session_state["mask"] == "declared"
    click(app, "undo")
    assert app.session_state["mask"] == "lengths"


def test_rule_without_a_batch_says_so() -> None:
    app = page("golden", doctor_catalogue=True, doctor_rule="NUM07")
    said = words(app, "doctor_catalogue")
    assert said[0] == "There is no batch of this rule: it would be too large to come with lossviz."
    assert said[1].startswith("**What it checks.** Whether B · T · V exceeds")
    assert [button.key for button in app.button if button.key != "words"] == []


@pytest.mark.parametrize("rule", WITH_SAMPLES, ids=lambda rule: rule.code)
def test_bad_sample_of_every_rule_is_shown_and_repaired(rule: Rule) -> None:
    """The card is there, and where arrays can repair it, the fix gives the promised number and ends the finding."""
    app = page(f"{rule.code}-{rule.name}/bad", doctor_finding=rule.code, doctor_catalogue=True, doctor_rule=rule.code)
    assert drawn_in(app) == [rule.code]
    [good] = [line for line in words(app, "doctor_catalogue") if line.startswith("**Good:** ")]
    assert "error" not in good
    assert "warning" not in good
    if not any(button.key == key_of(app, f"apply_{rule.code}") for button in app.button):
        assert [line for line in texts(app, "caption") if line.startswith("Nothing to apply")] != []
        return
    promised = metrics(app)["After the fix"]
    click(app, f"apply_{rule.code}")
    assert metrics(app)["Now"] == promised
    assert rule.code not in cards(app)
    assert drawn_in(click(app, "doctor_undo")) == [rule.code]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("SHF05", (3.5, 5.5, -0.5, 2.5)),
        ("SHF04", (-0.5, 0.5, -0.5, 2.5)),
        ("SHF02", (-0.5, 5.5, -0.5, 2.5)),
    ],
)
def test_repaired_timesteps_are_outlined(code: str, expected: Any) -> None:
    """The pads that counted; the first column; the targets, all of them shifted."""
    rule = next(rule for rule in RULES if rule.code == code)
    app = click(page(f"{code}-{rule.name}/bad"), f"apply_{code}")
    assert (cards(app), outlined(app)) == ([], expected)


def test_logits_that_were_repaired_are_outlined() -> None:
    batch = rule_batch("NUM01", "bad")
    bad = ~np.isfinite(batch.logits).all(axis=2)
    app = click(page("NUM01-non-finite-under-mask/bad"), "apply_NUM01")
    rows, columns = np.nonzero(bad)
    assert outlined(app) == (columns.min() - 0.5, columns.max() + 0.5, rows.min() - 0.5, rows.max() + 0.5)


@pytest.mark.parametrize("code", ["NUM01", "SHF04", "SHF08"])
def test_link_restores_the_repaired_batch(code: str) -> None:
    """Logits with NaN, weights in the place of lengths, logits laid out anew."""
    rule = next(rule for rule in RULES if rule.code == code)
    app = click(page(f"{code}-{rule.name}/bad"), f"apply_{code}")
    again = open_page("doctor", view=address(app))
    assert metrics(again) == metrics(app)
    one, two = state(app).source.current, state(again).source.current
    assert one.fields().keys() == two.fields().keys()
    for name, value in one.fields().items():
        np.testing.assert_array_equal(getattr(two, name), value, err_msg=name)
    assert click(again, "doctor_undo").session_state["lossviz"].source.repairs == ()


def test_repair_too_large_for_a_link_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.ui.session.repair.MAX_ENTRIES", 2)
    app = click(page(BAD), "apply_SHF05")
    assert "This view is too long for a link" in " ".join(texts(app, "caption"))
    assert address(app) == "too-long"


def test_reduction_without_a_number_is_said() -> None:
    """The mean over micro-batches is not told how many: the finding stands, and its fix can be applied all the same."""
    app = page(BAD, reduction="micro_batch_means")
    assert len(texts(app, "error")) == 1
    assert [(name, value) for name, value in metrics(app).items()] == [("Loss now", "no single number")]
    click(app, "apply_SHF05")
    assert metrics(app) == {"Before SHF05 was repaired": "no single number", "Now": "no single number"}


def test_crashed_rule_is_said_and_stops_no_other(rules: Any) -> None:
    rules(Rule("PAD99", "broken", "error", "This rule is broken.", broken))
    app = page(BAD)
    assert (answer(app), cards(app)) == ("1 error, and a rule crashed", ["SHF05"])
    unfold(app, "doctor_outcomes")
    said = words(app, "doctor_outcomes")
    assert said[0].startswith("**PAD99 · ")
    assert said[1].startswith("Traceback")
    assert said[1].rstrip().endswith("ZeroDivisionError: a mistake")
    clean = page("alice-trained")
    assert answer(clean).endswith("could not tell or did not apply, 1 crashed")


def test_rules_that_found_nothing_are_folded_with_their_reasons() -> None:
    app = page(BAD)
    assert words(app, "doctor_outcomes") == []
    unfold(app, "doctor_outcomes")
    outcomes = diagnose(rule_batch("SHF05", "bad")).outcomes
    said = "\n".join(words(app, "doctor_outcomes"))
    for outcome in outcomes:
        line = f"- {outcome.code} · {TITLES[outcome.code]}"
        expected = {"skipped": f"{line}. {outcome.reason}\n", "passed": f"{line}\n", "found": ""}[outcome.state]
        assert expected in f"{said}\n"
    assert "SHF05 ·" not in said


def test_catalogue_shows_both_samples_side_by_side() -> None:
    app = page("golden", doctor_catalogue=True, doctor_rule="SHF04")
    assert str(app.selectbox(key="doctor_rule").value) == "SHF04"
    assert app.selectbox(key="doctor_rule").options == [f"{rule.code} · {rule.title}" for rule in RULES]
    said = words(app, "doctor_catalogue")
    finding = diagnose(rule_batch("SHF04", "bad")).findings[0]
    assert {"**Bad:** 1 error", "**Good:** nothing found", finding.message} <= set(said)
    assert [f"**{heading}.**" for heading in DOCS["SHF04"] if not any(f"**{heading}.**" in line for line in said)] == []
    assert [key for key in ("doctor_bad", "doctor_good") if not picture(app, key)["data"]] == []
    assert [trace["name"] for trace in picture(app, "doctor_bad")["data"]].count("highlight") == 3
    assert [trace.get("name") for trace in picture(app, "doctor_good")["data"]].count("highlight") == 0


def test_catalogue_says_what_the_loops_of_both_samples_printed() -> None:
    """Where only the printed number tells them apart, the pictures are alike."""
    said = words(page("golden", doctor_catalogue=True, doctor_rule="RED01"), "doctor_catalogue")
    finding = diagnose(rule_batch("RED01", "bad")).findings[0]
    assert {finding.message, f"Its loop printed {rule_batch('RED01', 'good').reported}."} <= set(said)


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_sample_of_a_rule_is_one_click_away(kind: str) -> None:
    app = page("golden", doctor_catalogue=True, doctor_rule="SHF04")
    click(app, f"open_{kind}")
    source = state(app).source
    assert (source.door, source.name) == ("sample", f"SHF04-timestep-never-predicted/{kind}")
    assert app.session_state["sample"] == source.name
    assert cards(app) == {"bad": ["SHF04"], "good": []}[kind]
    assert words(app, "doctor_catalogue") == []
    assert f"SHF04, {kind}: {TITLES['SHF04']}" in app.selectbox(key=key_of(app, "sample")).options


def test_catalogue_opens_at_the_rule_of_the_finding() -> None:
    app = unfold(page(BAD), "doctor_catalogue")
    assert app.selectbox(key="doctor_rule").value == "SHF05"


def test_text_of_users_stays_text() -> None:
    """A token in a message formats nothing, links nowhere and loads nothing."""
    hostile = "![x](http://a)<b>"
    logits = np.zeros((1, 2, 3))
    logits[0, 0, 1] = -np.inf
    app = opened(logits=logits, targets=[[1, 2]], vocabulary=np.array(["a", hostile, "c"]))
    batch = Batch.from_arrays(logits=logits, targets=[[1, 2]], vocabulary=["a", hostile, "c"])
    finding = diagnose(batch).finding("NUM03")
    assert finding is not None
    assert hostile in finding.message
    assert finding.message in words(app, "finding_NUM03")
    shown = [str(found.value) for kind in ("markdown", "caption") for found in getattr(app, kind)]
    assert [text for text in shown if "![x](" in text or "<b>" in text] == []


def test_badge_follows_edits_on_explore_and_stands_on_every_page() -> None:
    app = sample(BAD)
    assert badge(app) == ("1 finding", "1 error found. Opens the page Doctor.")
    for title in ("Reductions", "Identify"):
        assert badge(go(app, title))[0] == "1 finding"
    assert badge(sample("golden")) == ("1 note", "1 note found. Opens the page Doctor.")
    assert badge(sample("alice-trained")) == ("No finding", "Nothing found. Opens the page Doctor.")
    assert badge(sample("logits-inf"))[0] == "2 findings"


def test_rules_run_once_for_each_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Any] = []

    def counted(analysis: Analysis, **options: Any) -> Diagnosis:
        runs.append(analysis)
        return diagnose(analysis, **options)

    monkeypatch.setattr("lossviz.ui.session.examination.diagnose", counted)
    app = open_page("doctor", view=pack({"door": "Sample", "sample": BAD}))
    go(run(app), "Explore")
    assert len(runs) == 1


def test_formula_of_the_loop_is_compared_with_what_it_printed() -> None:
    """The batch is right, so there is nothing to apply to it."""
    app = page("RED05-sequence-means/bad")
    fields = load_rule_sample("RED05")
    mean = analyze(Batch.from_arrays(**fields)).value
    assert metrics(app) == {"Your loop printed": fields["reported"].replace(".", "\\."), "After the fix": f"{mean:.4f}"}
    assert "Nothing to apply to the batch: it is the loop that changes." in texts(app, "caption")


def test_badge_of_a_printed_number_waits_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every formula is compared with it."""
    monkeypatch.setattr(findings_badge, "PRINTED_TIMESTEPS", 10)
    assert badge(sample(BAD))[0] == "1 finding"
    assert badge(go(opened(**load_rule_sample("SHF05"), reported="0.5457"), "Explore"))[0] == "1 finding"
    assert badge(uploaded(**load_rule_sample("SHF05"), reported="0.5457"))[0] == "Examine"


@pytest.mark.parametrize(("code", "number", "left"), [("SHF05", "0.5457", None), ("NUM02", "0.2434", "0.2434")])
def test_printed_number_goes_with_a_fix_that_changes_it(code: str, number: str, left: str | None) -> None:
    app = click(opened(**{**load_rule_sample(code), "reported": number}), f"apply_{code}")
    assert state(app).source.current.reported == left
    assert click(app, "doctor_undo").session_state["lossviz"].source.current.reported == number


def told(app: AppTest, text: str) -> AppTest:
    """Identify, with the number that the loop printed."""
    return run(go(app, "Identify").text_input(key=key_of(app, "identify_number")).set_value(text))


def test_number_that_identify_was_told_is_known_to_the_doctor() -> None:
    app = told(sample("golden"), "0.9667")
    assert badge(app) == ("1 finding", "1 error, 1 note found. Opens the page Doctor.")
    assert badge(go(app, "Explore"))[0] == "1 finding"
    assert cards(go(app, "Doctor")) == ["PAD01", "PAD04"]
    assert metrics(app)["Your loop printed"] == "0\\.9667"
    assert cards(open_page("doctor", view=address(app))) == ["PAD01", "PAD04"]
    for no_number in ("", "0.9667, 0.5, 1", "nought"):
        assert badge(told(app, no_number)) == ("1 note", "1 note found. Opens the page Doctor.")


def test_number_that_was_told_stays_with_its_batch() -> None:
    app = go(told(sample("golden"), "0.9667"), "Explore")
    assert badge(choose(app, sample="alice-trained")) == ("No finding", "Nothing found. Opens the page Doctor.")
    assert go(app, "Identify").text_input(key=key_of(app, "identify_number")).value == ""
    assert badge(choose(app, sample="golden"))[0] == "1 finding"


def test_number_that_was_told_goes_with_a_fix_that_changes_it() -> None:
    app = go(told(sample(BAD), "0.5457"), "Doctor")
    assert state(click(app, "apply_SHF05")).source.current.reported is None
    assert state(click(app, "doctor_undo")).source.current.reported == "0.5457"
    click(app, "apply_SHF05")
    assert state(told(app, "0.5457")).source.current.reported == "0.5457"


def test_number_of_a_file_is_back_when_the_fix_is_undone() -> None:
    """While it is of the past, Identify asks for another, which is no answer yet."""
    app = go(click(opened(**{**load_rule_sample("SHF05"), "reported": "0.5457"}), "apply_SHF05"), "Identify")
    assert app.text_input(key=key_of(app, "identify_number")).value == ""
    click(go(app, "Doctor"), "doctor_undo")
    assert state(app).source.current.reported == "0.5457"
    assert go(app, "Identify").text_input(key=key_of(app, "identify_number")).value == "0.5457"


def test_badge_of_a_large_batch_waits_for_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_badge, "TIMESTEPS", 10)
    app = sample(BAD)
    assert badge(app) == ("Examine", "The rules take a while on a batch as large as this one.")
    assert answer(go(app, "Doctor")) == "1 error"
    assert badge(go(app, "Explore"))[0] == "1 finding"


def test_large_batch_is_drawn_around_the_finding() -> None:
    """NaN under the mask at the far corner of 70 × 140 timesteps: the window goes there, and then where it is moved."""
    logits = np.random.default_rng(0).normal(size=(70, 140, 3)).astype(np.float32)
    logits[69, 139] = np.nan
    app = opened(logits=logits, targets=np.ones((70, 140), int), lengths=np.full(70, 139))
    assert drawn_in(app) == ["NUM01"]
    assert (
        app.slider(key=key_of(app, "corner_sequence")).value,
        app.slider(key=key_of(app, "corner_timestep")).value,
    ) == (
        38,
        76,
    )
    assert "This part of the batch has 1 of the timesteps of NUM01, which are 1." in texts(app, "caption")
    run(app.slider(key=key_of(app, "corner_sequence")).set_value(0))
    assert app.slider(key=key_of(app, "corner_sequence")).value == 0
    assert "This part of the batch has 0 of the timesteps of NUM01, which are 1." in texts(app, "caption")


def test_page_without_a_timestep_still_stands() -> None:
    app = opened(logits=np.zeros((0, 0, 2)), targets=np.zeros((0, 0), int))
    assert not answer(app).startswith("1 error, and a rule crashed")
