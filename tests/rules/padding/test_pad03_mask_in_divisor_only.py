"""PAD03: only the divisor is masked."""

import pytest

from tests.golden import FRACTIONAL
from tests.rules.pad_cases import cells_of, finding_of, golden_with


def test_pad03_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.3182")
    finding = finding_of("PAD03", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "Possible: the training loop that printed 1.3182 adds up all 15 positions and divides by the 11 timesteps that "
        "count; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None
    assert finding.fix["PyTorch"] == (
        "weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()\n"
        "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()  # select before adding up"
    )


def test_pad03_selects_where_the_weight_is_not_0():
    batch = golden_with(reported=f"{14.5 / 10.5:.4f}", weights=FRACTIONAL)
    assert finding_of("PAD03", batch).fix["PyTorch"] == (
        "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()  # select before adding up"
    )
