"""RED04: the divisor counts labels that no timestep predicts."""

import pytest

from lossviz import analyze
from tests.rules.pad_cases import cells_of, finding_of, golden_with, outcome_of


def test_red04_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="0.9857")
    finding = finding_of("RED04", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "The training loop that printed 0.9857 divides by the 11 timesteps that count and the first label of 3 "
        "sequences, on purpose, as Hugging Face does, or by mistake; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 0), (1, 0), (2, 0))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_red04_cannot_tell_where_one_label_a_sequence_is_all_the_padding():
    batch = golden_with(lengths=[4, 4, 4])
    number = analyze(batch).unpadded_loss.sum() / 15
    state, reason = outcome_of("RED04", batch.replace(reported=f"{number:.4f}"))
    assert state == "skipped"
    assert reason == (
        f"PAD02 also gives {number:.4f} on this batch and is more likely. This batch cannot tell them apart: in "
        "every sequence 4 timesteps count. A batch with unequal lengths can."
    )
