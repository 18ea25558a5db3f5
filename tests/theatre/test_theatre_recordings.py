"""The recordings that come with lossviz: complete, small, from equal weights, and honest; hostile files are refused."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from lossviz.analysis import analyze
from lossviz.errors import FormatError, InputError
from lossviz.runs import identify_run, open_run
from lossviz.settings import Settings as HowToReduce
from lossviz.theatre import (
    ACTS,
    BUGS,
    HARM_FROM,
    LIE_FROM,
    OPTIMIZERS,
    Recording,
    Settings,
    Verdict,
    Written,
    act_numbered,
    export_runs,
    folder,
    frame_steps,
    read,
    read_run,
    to_bytes,
    write,
)

PAIRS = [settings for act in ACTS for settings in act.settings]
IDS = [settings.key for settings in PAIRS]
COMPLETE = {"dates": [(1, 4), (4, 7)], "characters": [(1, 4), (4, 6)], "reviews": [(1, 3), (3, 5)]}
"""Which of the groups are all of the held-out text together: by token, by length."""
DATES = Settings("dates", "stop-is-pad")


def counted(run):
    """The timesteps [B, T] that count in a run; of a review the one that is read."""
    places, lengths = np.arange(run.scene.targets.shape[1]), run.scene.lengths[:, None]
    if run.settings.model != "reviews":
        return places < lengths
    return places == (lengths - 1 if run.bug == "right" else np.full_like(lengths, len(places) - 1))


def test_theatre_acts_are_eight_and_each_bug_is_in_one():
    assert [act.number for act in ACTS] == list(range(1, 9))
    assert sorted(settings.bug for act in ACTS for settings in act.settings[:1]) == sorted(sum(BUGS.values(), ()))
    for act in ACTS:
        assert [option.right for option in act.options].count(True) == 1
        assert len({option.text for option in act.options}) == len(act.options) >= 2
        assert all(option.feedback.endswith((".", "?")) for option in act.options)
        assert max(len(text.split()) for text in (act.question, act.lesson)) <= 60
    assert {settings.optimizer for settings in act_numbered(3).settings} == set(OPTIMIZERS)
    with pytest.raises(InputError, match=re.escape("There are acts 1 to 8; got 9.")):
        act_numbered(9)


def test_theatre_recordings_are_less_than_a_megabyte_and_nothing_else_lies_there():
    files = sorted(folder().iterdir())
    assert [file.name for file in files] == sorted(
        {settings.file(bug) for settings in PAIRS for bug in ("right", settings.bug)}
    )
    assert sum(file.stat().st_size for file in files) < 1_000_000


@pytest.mark.parametrize("settings", PAIRS, ids=IDS)
def test_theatre_recordings_are_complete_and_start_from_the_same_weights(settings):
    recording = read(settings)
    right, wrong = recording.right, recording.wrong
    assert recording.finished
    assert recording.steps == frame_steps(settings.steps)
    assert right.scene.prompts == wrong.scene.prompts
    for run in (right, wrong):
        assert len(run.reported) == settings.steps
        assert np.isfinite(run.reported).all()
        assert np.isfinite(run.true).all()
        assert (run.losses >= 0).all()
        assert {len(texts) for texts in run.texts} == {len(run.scene.prompts)}
    if settings.model != "reviews":  # there the two programs read the same weights in different places
        assert np.array_equal(right.losses[0], wrong.losses[0])
        assert np.array_equal(right.true[0], wrong.true[0])
        assert right.texts[0] == wrong.texts[0]
    assert not np.array_equal(right.losses[1], wrong.losses[1])
    inside = np.arange(right.losses.shape[2]) < right.scene.lengths[:, None]
    assert recording.highest == max(run.losses[:, inside].max() for run in (right, wrong))


@pytest.mark.parametrize("settings", PAIRS, ids=IDS)
def test_theatre_right_program_prints_the_truth_and_the_groups_add_up_to_it(settings):
    recording = read(settings)
    right = recording.right
    np.testing.assert_allclose(right.told, right.true[:, 0], rtol=2e-6)
    assert not replace(recording.verdict(), printed=right.told[-1], true=right.true[-1, 0]).lies
    for run in (right, recording.wrong):
        counts = np.array([group.count for group in run.scene.groups])
        for first, last in COMPLETE[settings.model]:
            parts = run.true[:, first:last] * counts[first:last]
            assert counts[first:last].sum() == counts[0]
            np.testing.assert_allclose(parts.sum(axis=1) / counts[0], run.true[:, 0], rtol=1e-9)


@pytest.mark.parametrize("settings", PAIRS, ids=IDS)
def test_theatre_programs_print_their_formula_of_the_losses_that_are_drawn(settings):
    """What was printed for the fixed batch, again from the recorded float32 losses in float64."""
    for run in (read(settings).right, read(settings).wrong):
        losses, scene = run.losses.astype(np.float64), run.scene
        counts = counted(run)
        mask = {
            "no-mask": np.ones_like(counts),
            "space-is-pad": counts & (scene.targets != 4),
            "stop-is-pad": counts & (scene.targets != (scene.eos_id or 0)),
            "mask-inverted": ~counts,
        }.get(run.bug, counts)
        expected = (losses * mask).sum(axis=(1, 2)) / mask.sum()
        if run.bug == "padding-divides":
            expected = (losses * mask).mean(axis=(1, 2))
        elif run.bug == "mean-of-means":
            expected = ((losses * mask).sum(axis=2) / mask.sum(axis=1)).mean(axis=1)
        if run.bug != "not-shifted":  # its labels are others than those that are drawn
            np.testing.assert_allclose(run.prints, expected, rtol=2e-5, atol=1e-6)


def test_theatre_docs_print_how_each_recording_ends():
    text = (folder().parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
    for settings in PAIRS:
        for run in (read(settings).right, read(settings).wrong):
            assert f"| `{settings.file(run.bug)}` | {run.told[-1]:.4f} | {run.true[-1, 0]:.4f} |" in text


def test_theatre_verdict_has_its_limits_and_says_both_answers():
    verdict = Verdict(printed=2 * (1 - LIE_FROM) - 1e-9, true=2.0, right_true=2.0 - HARM_FROM - 1e-9)
    assert (verdict.lies, verdict.harmed) == (True, True)
    assert verdict.sentences == ("prints 1.900, truth 2.000 (−5 %)", "model harmed: +0.10 nats against the right run")
    calm = Verdict(printed=2 * (1 + LIE_FROM) - 1e-9, true=2.0, right_true=2.0 - HARM_FROM + 1e-9)
    assert (calm.lies, calm.harmed) == (False, False)
    assert calm.sentences == ("prints 2.100, truth 2.000 (+5 %)", "no visible harm")
    assert Verdict(2.001, 2.0, 2.0).sentences[0] == "prints 2.001, truth 2.000 (0 %)"
    assert Verdict(2.0, 2.0, 2.0).sentences[0] == "prints 2.000, truth 2.000 (exact)"
    assert Verdict(1608.2, 2.21, 2.24).sentences == ("prints 1,608, truth 2.210 (× 728)", "no visible harm")
    assert Verdict(0.0036, 11.19, 0.608).sentences[0] == "prints 0.0036, truth 11.190 (−100 %)"


def test_theatre_frame_opens_as_a_batch_with_the_number_that_was_printed():
    run = read(Settings("characters", "no-mask")).wrong
    batch = run.batch(-1)
    assert batch.title == "characters, no-mask, step 300"
    assert batch.reported == f"{run.prints[-1]:.4f}"
    assert np.array_equal(batch.losses, run.losses[-1].astype(np.float64))
    mean = run.losses[-1].astype(np.float64)[counted(run)].mean()
    assert analyze(batch, HowToReduce(reduction="mean")).value == pytest.approx(mean, rel=1e-9)


def test_theatre_frame_of_reviews_gives_back_the_logits_from_the_losses():
    run = read(Settings("reviews", "last-column")).right
    for place in (0, -1):
        batch = run.batch(place)
        z, labels = batch.logits[..., 0].astype(np.float64), run.scene.targets
        np.testing.assert_allclose(
            np.logaddexp(0, np.where(labels == 1, -z, z)), run.losses[place], rtol=1e-5, atol=1e-7
        )
    assert analyze(batch, HowToReduce(reduction="classification")).value == pytest.approx(8 * run.prints[-1], rel=1e-4)


def test_theatre_recordings_open_as_runs_and_their_numbers_are_identified(tmp_path):
    recording = read(Settings("characters", "padding-divides"))
    right, wrong = map(open_run, export_runs(recording, tmp_path))
    assert (right.name, wrong.name) == ("characters-right-adam", "characters-padding-divides-adam")
    assert wrong.step_numbers == recording.steps
    table = wrong.steps()
    assert table["printed"].tolist() == [f"{number:.4f}" for number in recording.wrong.prints]
    counts = counted(recording.wrong)
    np.testing.assert_allclose(table["mean"], recording.wrong.losses[:, counts].mean(axis=1), rtol=1e-5)
    assert np.array_equal(wrong.batch(300).losses, recording.wrong.losses[-1].astype(np.float64))
    assert wrong.token(4) == "␣"
    found = identify_run(wrong)
    assert found.match["C05"].explanation == "Your loop divides by all 304 positions, 92 of them padding."
    assert tuple(found.steps["C05"]) == recording.steps
    with pytest.raises(InputError, match="holds a run already"):
        export_runs(recording, tmp_path)


def test_theatre_runs_survive_their_file_and_give_the_same_bytes(tmp_path):
    recording = read(DATES)
    write(recording, tmp_path)
    for bug in ("right", "stop-is-pad"):
        assert (tmp_path / DATES.file(bug)).read_bytes() == (folder() / DATES.file(bug)).read_bytes()
    again = read(DATES, tmp_path)
    assert again.wrong.texts == recording.wrong.texts
    assert again.wrong.frame(-1).texts[0] == Written(recording.wrong.texts[-1][0].text, False)


def changed(**header):
    """The file of the wrong run of the dates, with other values in its header."""
    with np.load(io.BytesIO(to_bytes(read(DATES).wrong)), allow_pickle=False) as held:
        arrays = dict(held)
    arrays |= {name: value for name, value in header.items() if isinstance(value, np.ndarray)}
    own = json.loads(bytes(arrays["header"])) | {n: v for n, v in header.items() if not isinstance(v, np.ndarray)}
    arrays["header"] = np.frombuffer(json.dumps(own).encode(), np.uint8)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lambda: b"", "empty"),
        (lambda: b"PK\x03\x04 cut", "was cut off"),
        (lambda: to_bytes(read(DATES).wrong)[:-30], "damaged|cut off"),
        (lambda: changed(version=2), r"no recording of this lossviz \(version 2, where 1 is played\)"),
        (lambda: changed(settings={"model": "dates"}), "recorded with"),
        (lambda: changed(texts=[]), r"`texts` has shape \(0,\), where \(16,\) is expected"),
        (lambda: changed(texts=3), "no recording of this lossviz"),
        (lambda: changed(scene=None), "no recording of this lossviz"),
        (lambda: changed(facts={"stopped": "many"}), "no recording of this lossviz"),
        (lambda: changed(true=np.zeros((16, 2))), r"`true` has shape \(16, 2\), where \(16, 7\) is expected"),
        (lambda: changed(losses=np.zeros((16, 8, 11), int)), "`losses` has shape .* and dtype int64"),
        (lambda: changed(prints=np.zeros(3)), r"`prints` has shape \(3,\), where \(16,\) is expected"),
    ],
)
def test_theatre_refuses_damaged_and_foreign_files_in_a_sentence(data, why):
    with pytest.raises(FormatError, match=why):
        read_run(data(), DATES)


def test_theatre_says_what_is_missing(tmp_path):
    with pytest.raises(FormatError, match=r"There is no file `.*dates-right-adam.npz`"):
        read(DATES, tmp_path)


def test_theatre_recording_needs_a_pair():
    recording = read(DATES)
    with pytest.raises(InputError, match="must show the same batch after the same steps, the first without a bug"):
        Recording(recording.wrong, recording.wrong)
    with pytest.raises(InputError, match="must show the same batch"):
        Recording(read(Settings("characters", "no-mask")).right, recording.wrong)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("poems", "no-mask"), "`model` must be one of 'characters', 'dates', 'reviews'; got 'poems'."),
        (("dates", "no-mask"), "`bug` must be one of "),
        (("dates", "stop-is-pad", "adamw"), "`optimizer` must be "),
        (("dates", "stop-is-pad", "adam", -1), "`seed` must be a whole number from 0 to 4,294,967,295; got -1."),
        (("dates", "stop-is-pad", "adam", 1, 1001), "`steps` must be a whole number from 0 to 1,000; got 1001."),
        (("dates", "stop-is-pad", "adam", True), "`seed` must be a whole number from 0 to 4,294,967,295; got True."),
    ],
)
def test_theatre_settings_are_checked(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Settings(*given)
