"""`LightningRecorder` in the real `Trainer`."""

import lightning
import numpy as np
import pytest
import torch
from torch.nn import functional

import lossviz
from lossviz.recording import open_run

TARGETS = torch.randint(1, 7, (8, 5), generator=torch.Generator().manual_seed(0))


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(4, 7)
        self.printed = []

    def training_step(self, batch, _):
        x, y = batch
        loss = functional.cross_entropy(self.net(x).flatten(0, 1), y.flatten(), ignore_index=0)
        self.printed.append(loss.item())
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore")  # Lightning's advice about workers, and its own deprecations
@pytest.mark.parametrize("accumulated", [1, 2])
def test_lightning_recorder_records_every_training_step(tmp_path, accumulated):
    x = torch.randn(8, 5, 4)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, TARGETS), batch_size=2)
    model = Model()
    trainer = lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accumulate_grad_batches=accumulated,
        callbacks=[lossviz.LightningRecorder(tmp_path / "run", every=1, logits="never")],
    )
    trainer.fit(model, data)
    run = open_run(tmp_path / "run")
    assert run.manifest.trainer == "lightning"
    assert run.steps == tuple(range(4 // accumulated))
    assert [entry["loss"] for entry in run.index] == pytest.approx(model.printed)
    last = model.printed[accumulated - 1 :: accumulated]
    assert [float(run.reported(step)) for step in run.steps] == pytest.approx(last, rel=1e-5)
    np.testing.assert_array_equal(run.fields(0)["targets"], TARGETS[: 2 * accumulated])
