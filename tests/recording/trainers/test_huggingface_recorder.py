"""`HuggingFaceRecorder` in the real `Trainer` and TRL's `SFTTrainer`: what was recorded explains what was logged."""

import numpy as np
import pytest
import torch
import transformers
from datasets import Dataset
from transformers import Trainer

import lossviz
from lossviz.recording import open_run
from tests.recording.trainers.tiny_models import arguments, examples, llama, tokenizer

transformers.logging.set_verbosity_error()
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def logged(trainer):
    return {entry["step"]: entry["loss"] for entry in trainer.state.log_history if "loss" in entry}


def trained(tmp_path, model=None, data=None, settings=None, trainer=Trainer, **changes):
    recorder = lossviz.HuggingFaceRecorder(tmp_path / "run", **{"every": 1, "logits": "never"} | (settings or {}))
    made = trainer(
        model=model or llama(),
        args=arguments(tmp_path / "out", **changes),
        train_dataset=data or examples(),
        callbacks=[recorder],
    )
    made.train()
    return open_run(tmp_path / "run"), logged(made)


def mean_of(fields):
    """Σ loss over the labels that are not −100, and how many those are."""
    counts = fields["targets"] != -100
    return np.where(counts, fields["losses"], 0).sum(dtype=np.float64), int(counts.sum())


def test_huggingface_recorder_explains_every_logged_loss(tmp_path):
    run, losses = trained(tmp_path)
    assert run.steps == (1, 2, 3, 4) == tuple(losses)
    for step, loss in losses.items():
        total, count = mean_of(run.fields(step))
        assert run.reported(step) == f"{loss:.6g}"
        assert total / count == pytest.approx(loss, rel=1e-5)


def test_huggingface_recorder_explains_accumulated_steps(tmp_path):
    run, losses = trained(tmp_path, gradient_accumulation_steps=3, max_steps=2)
    for step, loss in losses.items():
        total, count = mean_of(run.fields(step))
        entries = [entry for entry in run.index if entry["step"] == step]
        assert [(one["micro_batch"], one["accumulation"]) for one in entries] == [(0, 3), (1, 3), (2, 3)]
        assert {one["num_items"] for one in entries} == {count}
        assert total / count == pytest.approx(loss, rel=1e-5)


def test_huggingface_recorder_records_the_window_of_a_mean_over_steps(tmp_path):
    run, losses = trained(tmp_path, logging_steps=2)
    assert {one["step"]: one["window"] for one in run.index} == {1: None, 2: 2, 3: None, 4: 2}
    means = {step: np.divide(*mean_of(run.fields(step))) for step in run.steps}
    assert losses == {2: pytest.approx((means[1] + means[2]) / 2), 4: pytest.approx((means[3] + means[4]) / 2)}


def test_huggingface_recorder_shifts_as_the_model_does(tmp_path):
    run, _ = trained(tmp_path)
    fields = run.fields(1)
    follows = fields["targets"] != -100
    assert run.details(1)["shift"]
    assert (fields["inputs"][:, 1:] == fields["targets"][:, :-1])[follows[:, :-1]].all()
    assert fields["ignore_id"] == -100


def test_huggingface_recorder_leaves_evaluation_out(tmp_path):
    recorder = lossviz.HuggingFaceRecorder(tmp_path / "run", every=1)
    args = arguments(tmp_path / "out", eval_strategy="steps", eval_steps=1, max_steps=2)
    Trainer(llama(), args, train_dataset=examples(), eval_dataset=examples(4), callbacks=[recorder]).train()
    assert [(one["step"], one["micro_batch"]) for one in open_run(tmp_path / "run").index] == [(1, 0), (2, 0)]


def test_huggingface_recorder_asks_for_the_loss_function_and_records_it_wrapped(tmp_path):
    def summed(outputs, labels, num_items_in_batch=None):
        flat, shifted = outputs.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        return torch.nn.functional.cross_entropy(flat, shifted, reduction="sum") / num_items_in_batch

    recorder = lossviz.HuggingFaceRecorder(tmp_path / "run", every=1)
    args = arguments(tmp_path / "out", max_steps=2)
    unwrapped = Trainer(llama(), args, train_dataset=examples(), callbacks=[recorder], compute_loss_func=summed)
    with pytest.warns(UserWarning, match=r"^(The model was called without labels|Nothing was recorded)"):
        unwrapped.train()
    recorder = lossviz.HuggingFaceRecorder(tmp_path / "run", every=1)
    wrapped = recorder.loss_function(summed)
    trainer = Trainer(llama(), args, train_dataset=examples(), callbacks=[recorder], compute_loss_func=wrapped)
    trainer.train()
    run = open_run(tmp_path / "run")
    assert [entry["loss"] for entry in run.index] == pytest.approx(list(logged(trainer).values()), rel=1e-6)


def test_huggingface_recorder_of_a_fused_head_knows_what_is_unknown(tmp_path):
    from trl import SFTConfig, SFTTrainer

    recorder = lossviz.HuggingFaceRecorder(tmp_path / "run", every=1)
    options = arguments(tmp_path / "out").to_dict() | {"max_length": 8}
    known = {
        name: options[name] for name in ("output_dir", "per_device_train_batch_size", "max_steps", "logging_steps")
    }
    config = SFTConfig(
        **known,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        max_length=8,
        bf16=False,
        gradient_checkpointing=False,
    )
    texts = Dataset.from_dict(
        {"prompt": ["a b", "c", "d e f", "g"] * 4, "completion": [" h i", " j k l", " m", " n"] * 4}
    )
    trainer = SFTTrainer(llama(), config, train_dataset=texts, processing_class=tokenizer(), callbacks=[recorder])
    trainer.train()
    run = open_run(tmp_path / "run")
    assert run.steps == (1, 2, 3, 4)
    for step, loss in logged(trainer).items():
        fields = run.fields(step)
        assert (fields["pad_id"], fields["eos_id"]) == (0, 1)
        assert np.isnan(fields["losses"]).tolist() == (fields["targets"] == -100).tolist()
        assert np.isnan(fields["losses"]).any()
        total, count = mean_of(fields)
        assert total / count == pytest.approx(loss, rel=1e-5)


class Wordless(torch.nn.Module):
    """A model that computes its loss and gives nothing else."""

    def __init__(self):
        super().__init__()
        self.inner = llama()

    def forward(self, input_ids, attention_mask, labels, **_):
        loss = self.inner(input_ids=input_ids, attention_mask=attention_mask, labels=labels).loss
        return transformers.utils.ModelOutput(loss=loss)


def test_huggingface_recorder_of_a_model_without_logits_records_labels(tmp_path):
    with pytest.warns(UserWarning, match=r"^The model gives neither logits nor log-probabilities"):
        run, losses = trained(tmp_path, model=Wordless(), max_steps=1)
    fields = run.fields(1)
    assert np.isnan(fields["losses"]).all()
    assert run.index[0]["loss"] == pytest.approx(losses[1])
