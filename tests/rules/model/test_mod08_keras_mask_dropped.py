"""MOD08: Keras dropped the mask that it made of the inputs."""

import pytest

from tests.rules.asking import losses, sample
from tests.rules.pad_cases import finding_of, outcome_of


def test_mod08_names_the_mean_of_all_positions_where_keras_makes_the_mask():
    batch = sample("MOD08")
    loss, counts = losses(batch), batch.inputs != 0
    assert batch.reported == f"{loss.mean():.4f}"
    finding = finding_of("MOD08", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "Possible: the training loop that printed 1.0581 counts all 24 positions, 8 of them padding; "
        "the mean over the timesteps that count is 0.80249."
    )
    assert finding.cells.tolist() == (~counts).tolist()
    assert finding.loss_if_fixed == pytest.approx(loss[counts].mean(), abs=1e-9)
    assert outcome_of("PAD01", batch) == ("skipped", "MOD08 also gives 1.0581 on this batch and is more likely.")


@pytest.mark.parametrize("known", [{"lengths": [3, 6, 5, 2]}, {"inputs": None}])
def test_mod08_leaves_it_to_pad01_where_keras_makes_no_such_mask(known):
    batch = sample("MOD08").replace(**known)
    assert outcome_of("MOD08", batch) == ("skipped", "PAD01 also gives 1.0581 on this batch and is more likely.")
    assert finding_of("PAD01", batch).severity == "error"
