"""NUM08: probabilities are clipped before the logarithm."""

import numpy as np
import pytest

from tests.golden import LENGTHS, LOSS, golden_logits
from tests.rules.pad_cases import cells_of, finding_of, golden_with, outcome_of


@pytest.mark.parametrize(("least", "who"), [("1e-07", "Keras with from_logits=False"), ("1e-10", "Sockeye")])
def test_num08_names_the_cap_and_shows_what_is_capped(least, who):
    batch = golden_with(logits=golden_logits(loss=np.where(LOSS == 3.5, 40.0, LOSS)))
    mask = np.arange(5) < LENGTHS[:, None]
    number = np.minimum(np.where(LOSS == 3.5, 40.0, LOSS), -np.log(float(least)))[mask].mean()
    batch = batch.replace(reported=f"{number:.4f}")
    finding = finding_of("NUM08", batch)
    assert finding.severity == "info"
    assert finding.message == (
        f"The training loop that printed {number:.4f} never lets a probability fall below {least}, as {who} does: "
        "1 loss is capped; the mean over the timesteps that count is 4.5727."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2))
    assert finding.loss_if_fixed == pytest.approx((13.8 + 36.5) / 11)


def test_num08_cannot_see_a_cap_above_every_loss():
    assert outcome_of("NUM08", golden_with(reported="1.2545")) == (
        "skipped",
        "The mean over the timesteps that count is also 1.2545.",
    )
