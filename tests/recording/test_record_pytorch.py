"""`record_pytorch`: what `F.cross_entropy` was called with, and the number that it returned."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import lossviz
from lossviz.recording import open_run
from tests.recording.oracle_losses import softmax_losses

B, T, V = 3, 5, 7
TARGETS = torch.tensor([[1, 2, 3, 0, 0], [4, 5, 6, 1, 2], [3, 0, 0, 0, 0]])
SHAPES = {
    "view": lambda z, y: functional.cross_entropy(z.view(-1, V), y.view(-1)),
    "reshape": lambda z, y: functional.cross_entropy(z.reshape(-1, V), y.reshape(-1)),
    "flatten": lambda z, y: functional.cross_entropy(z.flatten(0, 1), y.flatten()),
    "float": lambda z, y: functional.cross_entropy(z.view(-1, V).float(), y.clone().view(-1)),
    "cloned targets": lambda z, y: functional.cross_entropy(z.view(-1, V), y.view(-1).clone()),
    "[B, V, T]": lambda z, y: functional.cross_entropy(z.transpose(1, 2), y),
    "module": lambda z, y: nn.CrossEntropyLoss()(z.view(-1, V), y.view(-1)),
    "keywords": lambda z, y: functional.cross_entropy(target=y.view(-1), input=z.view(-1, V)),
}


def logits_of(seed=0):
    return torch.randn(B, T, V, generator=torch.Generator().manual_seed(seed), requires_grad=True)


def recorded(path, call, **settings):
    with lossviz.record_pytorch(path / "run", every=1, logits="never", **settings):
        loss = call()
    return open_run(path / "run"), loss


@pytest.mark.parametrize("call", SHAPES.values(), ids=SHAPES)
def test_record_pytorch_recovers_sequences_and_timesteps(tmp_path, call):
    logits = logits_of()
    run, loss = recorded(tmp_path, lambda: call(logits * 1, TARGETS))
    fields = run.fields(0)
    assert fields["targets"].tolist() == TARGETS.tolist()
    np.testing.assert_allclose(fields["losses"], softmax_losses(logits.detach(), TARGETS), rtol=2e-6)
    assert run.index[0]["loss"] == loss.item()


def test_record_pytorch_recovers_shifted_logits(tmp_path):
    def shifted():
        z, y = logits_of() * 1, TARGETS
        return functional.cross_entropy(z[:, :-1].reshape(-1, V), y[:, 1:].reshape(-1))

    fields = recorded(tmp_path, shifted)[0].fields(0)
    assert fields["targets"].tolist() == TARGETS[:, 1:].tolist()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_record_pytorch_records_the_formula(tmp_path, reduction, smoothing, weighted):
    """Σ w·loss (÷ Σ w) of what was recorded is what PyTorch returned, where there is no smoothing."""
    weight = torch.linspace(0.5, 2, V) if weighted else None
    options = {"ignore_index": 0, "reduction": reduction, "label_smoothing": smoothing, "weight": weight}
    logits = logits_of()
    run, loss = recorded(tmp_path, lambda: functional.cross_entropy(logits.view(-1, V), TARGETS.view(-1), **options))
    fields = run.fields(0)
    assert fields["ignore_id"] == 0
    weights = fields["weights"] if weighted else (TARGETS != 0).numpy()
    if weighted:
        expected = np.where(TARGETS != 0, weight.numpy()[TARGETS], 0)
        np.testing.assert_array_equal(weights, expected)
    total = (fields["losses"].astype(np.float64) * weights).sum()
    number = total / (weights.sum() if reduction == "mean" else 1)
    assert (abs(number - loss.item()) < 1e-5) == (smoothing == 0)
    assert run.details(0)["label_smoothing"] == smoothing


def test_record_pytorch_takes_flat_timesteps_as_one_sequence_and_asks(tmp_path):
    logits = torch.randn(6, V, requires_grad=True)
    with pytest.warns(UserWarning, match=r"^`cross_entropy` was called on 6 flat timesteps, recorded"):
        run, _ = recorded(tmp_path, lambda: functional.cross_entropy(logits, torch.arange(6)))
    assert run.fields(0)["targets"].shape == (1, 6)


def test_record_pytorch_timesteps_cuts_flat_calls(tmp_path):
    logits = torch.randn(6, V, requires_grad=True)
    run, _ = recorded(tmp_path, lambda: functional.cross_entropy(logits, torch.arange(6)), timesteps=3)
    assert run.fields(0)["targets"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_record_pytorch_counts_steps_and_micro_batches(tmp_path):
    model, losses = nn.Linear(4, V), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with lossviz.record_pytorch(tmp_path / "run", every=2) as recorder:
        for _ in range(4):
            for _ in range(3):
                loss = functional.cross_entropy(model(torch.randn(B, T, 4)).view(-1, V), TARGETS.view(-1)) / 3
                loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(f"{loss.item():.4f}")
            recorder.report(losses[-1])
            with torch.no_grad():  # evaluation is not training
                functional.cross_entropy(model(torch.randn(B, T, 4)).view(-1, V), TARGETS.view(-1))
    run = open_run(tmp_path / "run")
    assert run.steps == (0, 2)
    assert [run.reported(step) for step in run.steps] == [losses[0], losses[2]]
    assert [(one["micro_batch"], one["accumulation"]) for one in run.index] == [(0, 3), (1, 3), (2, 3)] * 2
    assert run.fields(2)["targets"].shape == (3 * B, T)


def test_record_pytorch_changes_no_gradient(tmp_path):
    plain, watched = logits_of(), logits_of()
    functional.cross_entropy(plain.view(-1, V), TARGETS.view(-1)).backward()
    recorded(
        tmp_path, lambda: functional.cross_entropy(watched.view(-1, V), TARGETS.view(-1)).backward() or plain.sum()
    )
    assert torch.equal(plain.grad, watched.grad)


def test_record_pytorch_survives_what_it_cannot_record(tmp_path):
    logits = torch.randn(2, V, requires_grad=True)
    recorder = lossviz.record_pytorch(tmp_path / "run", every=1).__enter__()
    with pytest.warns(UserWarning, match=r"^A call of `cross_entropy` was not recorded: its targets are"):
        loss = functional.cross_entropy(logits, torch.softmax(torch.randn(2, V), 1))
    loss.backward()
    with pytest.warns(UserWarning, match=r"^Nothing was recorded to `.*`"):
        recorder.__exit__(None, None, None)


# PyTorch's tracer reads `.grad` of every tensor that it meets, and warns of what it did itself.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
@pytest.mark.parametrize("whole", [True, False], ids=["step compiled", "model compiled"])
def test_record_pytorch_sees_compiled_loops(tmp_path, whole):
    """Entered before the first compiled call, the mode breaks the graph at the loss: every step is seen."""
    torch._dynamo.reset()
    model = nn.Linear(4, V)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss_of(module, x):
        return functional.cross_entropy(module(x).view(-1, V), TARGETS.view(-1))

    compiled = torch.compile(model, backend="aot_eager")
    step_of = (
        torch.compile(lambda x: loss_of(model, x), backend="aot_eager") if whole else (lambda x: loss_of(compiled, x))
    )
    with lossviz.record_pytorch(tmp_path / "run", every=1, timesteps=T) as recorder:
        for _ in range(3):
            loss = step_of(torch.randn(B, T, 4))
            loss.backward()
            optimizer.step()
            recorder.report(loss.item())
    run = open_run(tmp_path / "run")
    assert run.steps == (0, 1, 2)
    assert [one["loss"] for one in run.index] == [float(one["reported"]) for one in run.index]
