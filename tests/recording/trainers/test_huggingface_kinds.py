"""`HuggingFaceRecorder` with encoder-decoders, label smoothing, attention masks and several real processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from transformers import T5Config, T5ForConditionalGeneration, Trainer

import lossviz
from lossviz.cli import main
from lossviz.recording import open_run
from tests.recording.trainers.test_huggingface_recorder import logged, mean_of, trained
from tests.recording.trainers.tiny_models import arguments, examples, llama

transformers.logging.set_verbosity_error()
ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def t5():
    sizes = {"d_model": 16, "d_ff": 16, "d_kv": 8, "num_layers": 1, "num_heads": 2}
    ids = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    torch.manual_seed(0)
    return T5ForConditionalGeneration(T5Config(vocab_size=16, dropout_rate=0.0, **sizes, **ids))


def test_huggingface_recorder_of_an_encoder_decoder_records_what_the_decoder_reads(tmp_path):
    """The encoder's inputs are as wide as the labels, and none of the decoder's."""
    run, losses = trained(tmp_path, model=t5(), settings={"logits": "auto"}, max_steps=2)
    for step, loss in losses.items():
        fields = run.fields(step)
        known = fields["targets"][:, :-1] != -100
        assert not run.details(step)["shift"]
        assert (fields["inputs"][:, 1:] == fields["targets"][:, :-1])[known].all()
        assert (fields["inputs"][:, 0] == 0).all()
        assert (fields["pad_id"], fields["eos_id"]) == (0, 1)
        assert lossviz.analyze(run.batch(step)).value == pytest.approx(loss, rel=1e-5)
    assert main(["check", str(tmp_path / "run")]) == 0


def test_huggingface_recorder_explains_a_smoothed_loss(tmp_path, capsys):
    """The trainer's own label smoother, wrapped: its ε is recorded, and `identify` names it unaided."""
    recorder = lossviz.HuggingFaceRecorder(tmp_path / "run", every=1)
    args = arguments(tmp_path / "out", max_steps=2, label_smoothing_factor=0.1)
    trainer = Trainer(llama(), args, train_dataset=examples(), callbacks=[recorder])
    trainer.label_smoother = recorder.loss_function(trainer.label_smoother)
    trainer.train()
    run = open_run(tmp_path / "run")
    assert [run.details(step)["label_smoothing"] for step in run.steps] == [0.1, 0.1]
    total, count = mean_of(run.fields(1) | {"losses": lossviz.analyze(run.batch(1)).batch_loss})
    assert total / count != pytest.approx(logged(trainer)[1], rel=1e-4)
    assert main(["identify", str(tmp_path / "run")]) == 0
    assert "LS1 explains 2 of 2 printed numbers" in capsys.readouterr().out


def test_huggingface_recorder_knows_padding_that_no_label_ignores_by_the_attention_mask(tmp_path, capsys):
    """Labels that copy the padding, and a pad id that nobody says: PAD01 in every step."""
    model = llama()
    model.config.pad_token_id = model.config.eos_token_id = None
    run, _ = trained(tmp_path, model=model, data=examples(ignored=0), settings={"logits": "auto"}, max_steps=2)
    fields = run.fields(1)
    assert fields["pad_id"] == 0
    assert (fields["weights"].all(), fields["lengths"].max() < fields["targets"].shape[1]) == (True, True)
    main(["check", str(tmp_path / "run")])
    assert "PAD01 warning, in 2 of 2 steps" in capsys.readouterr().out


RANK = """
import lossviz
from transformers import Trainer
from tests.recording.trainers.tiny_models import arguments, examples, llama

for name in ("tokens", "ranks"):
    recorder = lossviz.HuggingFaceRecorder(name, every=1)
    args = arguments("out", max_steps=3, ddp_backend="gloo", average_tokens_across_devices=name == "tokens")
    Trainer(llama(), args, train_dataset=examples(24), callbacks=[recorder]).train()
"""


def two_processes(folder):
    """Two processes of `torch.distributed`, each of which writes a shard of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = os.environ | {"PYTHONPATH": str(ROOT), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RANK],
            cwd=folder,
            env=common | {"RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for rank in "01"
    ]
    for process in started:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors[-2000:]


def test_huggingface_recorder_of_two_processes_is_one_run(tmp_path, capsys, monkeypatch):
    """Counted over all ranks the mean is right; the mean of the ranks' means is RED03, and the recorder knows them."""
    two_processes(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, code, status in (("tokens", "C03", False), ("ranks", "RED03", True)):
        run = open_run(name)
        assert [(state.rank, state.closed) for state in run.ranks] == [(0, True), (1, True)]
        assert {(one["rank"], one["world"]) for one in run.index} == {(0, 2), (1, 2)}
        assert (run.batch(1).shape[0], run.ranks_of(1), run.accumulation(1)) == (4, 2, 1)
        main(["identify", name])
        identified = capsys.readouterr().out
        assert f"{code} explains 3 of 3 printed numbers" in identified, identified
        main(["check", name])
        checked = capsys.readouterr().out
        assert ("RED03 warning, in 3 of 3 steps" in checked, "by 2, the ranks" in checked) == (status, status), checked
