"""What `check` says, without a flag, of files after public bug reports: the rule, and the number after its fix."""

import math

import numpy as np
import pytest

from lossviz import analyze, diagnose, identify, load
from lossviz.cli import main
from tests.field import check_batches as given
from tests.field import identify_cases


def checked(fields):
    """The findings of a file as its layout opens it; no rule crashes."""
    diagnosis = diagnose(load(fields))
    assert [outcome.code for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []
    return {finding.code: finding for finding in diagnosis.findings}


def serious(findings):
    return [code for code, finding in findings.items() if finding.severity != "info"]


@pytest.mark.parametrize("labels", [False, True], ids=["weights", "labels"])
@pytest.mark.parametrize(("late", "word"), [(1, "late"), (-1, "early")])
def test_field_prompt_mask_beside_the_answers_moves_as_a_whole(late, word, labels):
    fields, right, _, good = given.prompt_mask(late, labels=labels)
    found = checked(fields)
    assert serious(found) == ["SHF05"]
    assert found["SHF05"].severity == "error"
    assert found["SHF05"].message.startswith(f"The mask is one timestep {word}: ")
    assert found["SHF05"].loss_if_fixed == pytest.approx(right, rel=1e-6)
    assert analyze(found["SHF05"].repaired).mask.tolist() == good.tolist()


@pytest.mark.parametrize("late", [1, -1])
def test_field_prompt_mask_moves_in_the_labels_of_hugging_face(late):
    fields, right = given.prompt_mask_of_hugging_face(late)
    found = checked(fields)
    assert serious(found) == ["SHF05"]
    assert found["SHF05"].loss_if_fixed == pytest.approx(right, rel=1e-6)


@pytest.mark.parametrize(("late", "word"), [(1, "late"), (-1, "early")])
def test_field_prompt_mask_is_told_by_the_printed_number(late, word):
    fields, right, printed, good = given.prompt_mask(late)
    batch = fields | {"weights": good.astype(int), "reported": f"{printed:.6f}"}
    found = checked(batch)
    assert serious(found) == ["SHF05"]
    assert f"moves the mask one timestep too {word}" in found["SHF05"].message
    assert found["SHF05"].loss_if_fixed == pytest.approx(right, rel=1e-6)
    assert identify(load(batch), f"{printed:.6f}")[0].code == "SHF05"
    assert serious(checked(batch | {"reported": f"{right:.6f}"})) == []


def test_field_second_shift_is_an_error_and_its_fix_does_not_shift():
    fields, right = given.second_shift()
    finding = checked(fields)["SHF02"]
    assert (finding.severity, finding.loss_if_fixed) == ("error", pytest.approx(right, rel=1e-6))
    assert "shifts once more, although the logits fit the targets as they are" in finding.message
    match = identify(load(fields), fields["reported"])[0]
    assert (match.code, match.kind) == ("SHF02", "bug")
    for fix in (finding.fix, match.fix):
        assert not any("1:]" in code or ":-1" in code for code in fix.values())


def test_field_tags_are_masked_by_their_inputs():
    fields, right, _, _ = given.tags()
    batch = fields | {"reported": f"{right:.6f}"}
    assert float(analyze(load(batch)).value) == pytest.approx(right)
    assert serious(checked(batch)) == []
    assert identify(load(batch), batch["reported"])[0].code == "C03"


def test_field_labels_beside_padded_inputs_are_padding():
    fields, right, printed, real = given.tags(pad=99)
    finding = checked(fields | {"reported": f"{printed:.6f}"})["PAD01"]
    assert (finding.severity, finding.loss_if_fixed) == ("error", pytest.approx(right))
    assert finding.cells.tolist() == (~real).tolist()
    assert checked(fields)["PAD01"].severity == "warning"


def test_field_pad_id_beyond_the_classes_keeps_its_mask():
    fields, right, _, real = given.tags(filler=5)
    del fields["inputs"]
    finding = checked(fields | {"pad_id": 5})["PAD13"]
    assert finding.loss_if_fixed == pytest.approx(right)
    assert analyze(finding.repaired).mask.tolist() == real.tolist()


def test_field_nan_of_empty_rows_is_an_error():
    fields, _, _, _ = given.tags()
    del fields["inputs"], fields["pad_id"]
    losses = given.cross_entropy(fields["logits"], fields["targets"])
    finding = checked(fields | {"lengths": np.array([12, 9, 0, 0]), "reported": "nan"})["PAD10"]
    assert finding.severity == "error"
    assert finding.loss_if_fixed == pytest.approx((losses[0].mean() + losses[1, :9].mean()) / 2)
    assert "in sequences 2, 3: 0 / 0 is NaN" in finding.message


def test_field_nan_of_empty_ranks_is_named_without_their_number():
    [report] = [each for each in identify_cases.partitions(np.random.default_rng(0)) if each.name == "C empty ranks"]
    found = checked(report.fields | {"reported": "nan"})
    assert serious(found) == ["RED03"]
    assert found["RED03"].severity == "warning"
    assert "and nothing counts in chunk 1: 0 ÷ 0 is NaN" in found["RED03"].message
    assert not found["RED03"].cells[:, 1:8].any()


def test_field_mask_made_of_the_labels_loses_every_zero():
    fields, right = given.labels_as_mask()
    found = checked(fields)
    assert serious(found) == ["PAD04"]
    assert (found["PAD04"].severity, found["PAD04"].loss_if_fixed) == ("error", pytest.approx(right))


def test_field_ends_inside_packed_rows_are_lost_too():
    fields, right, good = given.packed_ends()
    finding = checked(fields)["PAD05"]
    assert (finding.severity, finding.loss_if_fixed) == ("error", pytest.approx(right, rel=1e-6))
    assert int(finding.cells.sum()) == 6
    assert analyze(finding.repaired).mask.tolist() == good.tolist()


def test_field_prompts_leak_in_left_padded_rows():
    fields, right, leaked = given.leaking_prompts()
    found = checked(fields)
    assert serious(found) == ["PAD07"]
    assert (found["PAD07"].severity, found["PAD07"].loss_if_fixed) == ("error", pytest.approx(right, rel=1e-6))
    assert found["PAD07"].cells.tolist() == leaked.tolist()


def keras_file(printed):
    shares, targets, _, real = given.probabilities()
    return {"logits": shares, "targets": targets, "lengths": real.sum(axis=1), "reported": f"{printed:.6f}"}


def test_field_binary_cross_entropy_over_classes_is_named():
    shares, targets, losses, real = given.probabilities()
    labels = np.eye(5)[targets]
    binary = -(labels * np.log(shares) + (1 - labels) * np.log(1 - shares)).mean(-1)
    fields = keras_file(binary.mean()) | {"lengths": np.full(4, 12)}
    finding = checked(fields)["MOD09"]
    assert (finding.severity, finding.loss_if_fixed) == ("error", pytest.approx(losses.mean()))
    assert "averages a binary cross entropy over the 5 classes" in finding.message
    assert identify(load(fields), fields["reported"])[0].code == "MOD09"
    masked = checked(keras_file(binary[real].mean()))["MOD09"]
    assert masked.loss_if_fixed == pytest.approx(losses[real].mean())


def test_field_probabilities_are_a_second_softmax_only_by_a_number_that_proves_it():
    shares, targets, losses, real = given.probabilities()
    twice = (given.logsumexp(shares) - np.take_along_axis(shares, targets[..., None], -1)[..., 0])[real].mean()
    assert twice >= np.log(math.e + 4) - 1
    finding = checked(keras_file(twice))["MOD01"]
    assert (finding.severity, finding.loss_if_fixed) == ("error", pytest.approx(losses[real].mean()))
    right, by_padding = losses[real].mean(), losses[real].sum() / real.size
    assert serious(checked(keras_file(right))) == []
    assert serious(checked(keras_file(by_padding))) == ["PAD02"]


def test_field_two_mistakes_at_once_are_an_error():
    _, _, losses, real = given.probabilities()
    found = checked(keras_file(losses.sum() / 12))  # padding counts, and the divisor is the width
    assert serious(found) == ["PAD01"]
    assert (found["PAD01"].severity, found["PAD01"].message.startswith("Possible: ")) == ("error", True)
    assert found["PAD01"].loss_if_fixed == pytest.approx(losses[real].mean())


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_field_two_mistakes_fail_the_command_in_every_format(form, tmp_path, capsys):
    _, _, losses, _ = given.probabilities()
    np.savez(tmp_path / "batch.npz", **keras_file(losses.sum() / 12))
    assert main(["check", str(tmp_path / "batch.npz"), "--format", form]) == 1
    out = capsys.readouterr().out
    assert "PAD01" in out
    assert "counts all 48 positions, 17 of them padding, and divides by the 12 timesteps" in " ".join(out.split())


def test_field_other_logits_are_told_by_the_printed_number():
    """D: scales, a temperature, and soft caps that the loop left out or put in; minus the mean is no mistake."""
    reports = list(identify_cases.other_logits(np.random.default_rng(0)))
    found = {each.name: serious(checked(each.fields | {"reported": f"{each.number:.6f}"})) for each in reports}
    assert found == {each.name: ["MOD10"] if each.code.startswith("MOD10") else [] for each in reports}
