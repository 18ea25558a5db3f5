"""RED11: there is label smoothing in the number."""

import pytest
import torch

from lossviz import analyze
from tests.rules.pad_cases import finding_of, golden_with


def test_red11_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.3517")
    finding = finding_of("RED11", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "The training loop that printed 1.3517 smooths the labels with ε = 0.1, ε/V for each class, on purpose, as "
        "PyTorch, Hugging Face and AllenNLP do, or by mistake; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


@pytest.mark.parametrize(
    ("reported", "does"),
    [
        (
            "1.3712",
            "smooths the labels with ε = 0.1, ε/(V − 1) for each other class, on purpose, as OpenNMT-tf and Sockeye do",
        ),
        (
            "9.2278",
            "smooths the labels with ε = 0.1, then adds up 9.2278 and divides by nothing, on purpose, as JoeyNMT does",
        ),
    ],
)
def test_red11_knows_how_libraries_spread_it(reported, does):
    assert finding_of("RED11", golden_with(reported=reported)).message == (
        f"The training loop that printed {reported} {does}, or by mistake; the mean over the timesteps that count is "
        "1.2545."
    )


def test_red11_is_what_pytorch_prints():
    batch = golden_with()
    targets = torch.tensor(batch.targets).masked_fill(torch.arange(5) >= torch.tensor(batch.lengths)[:, None], -100)
    logits = torch.tensor(batch.logits).transpose(1, 2)
    printed = torch.nn.functional.cross_entropy(logits, targets, label_smoothing=0.1).item()
    assert f"{printed:.4f}" == "1.3517"
