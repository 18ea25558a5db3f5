"""What `test_package_layers` runs where only lossviz, NumPy and PyArrow are installed: functions that return JSON."""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import lossviz
from lossviz import formats, samples
from lossviz.errors import MissingPackageError


def round_trips():
    """Which formats give back the golden batch; .npy files are read together, the safetensors file is built by hand."""
    batch = lossviz.Batch.from_arrays(**samples.load_sample("golden"))
    fields = {name: value for name, value in batch.fields().items() if value is not None}
    files = {name: io.BytesIO() for name in ("csv", "json", "npz", "parquet")}
    for name, stream in files.items():
        formats.write(fields, stream, name)
    read = {name: formats.read(stream.getvalue(), name=f"batch.{name}") for name, stream in files.items()}
    read["npy"] = formats.read_many({f"{name}.npy": npy(fields[name]) for name in ("logits", "targets", "lengths")})
    read["safetensors"] = formats.read(safetensors(fields), name="batch.safetensors")
    return [name for name, found in read.items() if equal(lossviz.Batch.from_arrays(**found), batch)]


def equal(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("logits", "targets", "lengths"))


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def safetensors(fields):
    header, data = {}, b""
    for name, dtype, tag in (("logits", "<f8", "F64"), ("targets", "<i8", "I64"), ("lengths", "<i8", "I64")):
        array = np.asarray(fields[name]).astype(dtype)
        header[name] = {"dtype": tag, "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def refusals():
    """What each call says that needs more than the core."""
    batch = lossviz.Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]])
    calls = {
        "analyze": lambda: lossviz.analyze(batch),
        "diagnose": lambda: lossviz.diagnose(batch),
        "identify": lambda: lossviz.identify(batch, "1.0986"),
        "sequence_mask": lambda: lossviz.sequence_mask([1]),
        "runs": steps_of_a_run,
        "figures": lambda: __import__("lossviz.figures"),
        "tables": lambda: __import__("lossviz.tables"),
        "bfloat16": lambda: lossviz.Batch.from_arrays(**formats.read_many(halves())),
        "safetensors": lambda: lossviz.write(batch.fields(), Path(tempfile.gettempdir()) / "lossviz.safetensors"),
    }
    return {name: refusal(call) for name, call in calls.items()}


def steps_of_a_run():
    with tempfile.TemporaryDirectory() as folder:
        with lossviz.Recorder(f"{folder}/run", every=1) as recorder:
            recorder.step(step=0, targets=[[1, 2]], losses=[[1.0, 2.0]])
        return __import__("lossviz.runs").runs.open_run(f"{folder}/run").steps()


def halves():
    return {"logits.npy": npy(np.zeros((1, 2, 3), "V2")), "targets.npy": npy(np.zeros((1, 2), int))}


def refusal(call):
    try:
        return repr(call())
    except MissingPackageError as error:
        return str(error)


def names_that_need_more():
    """The public names that the core can't load."""
    return [name for name in lossviz.__all__ if "needs" in refusal(lambda name=name: getattr(lossviz, name))]


def commands():
    """Status, whether anything was printed, and the error of some commands."""
    lines = (["samples"], ["rule", "PAD05"], ["app"], ["analyze", "golden"])
    return {" ".join(line): command(line) for line in lines}


def command(words):
    from lossviz.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    return [status, bool(out.getvalue()), err.getvalue()]


def records():
    """A run recorded and opened again, and what was loaded for it beside NumPy and PyArrow."""
    with tempfile.TemporaryDirectory() as folder:
        with lossviz.Recorder(f"{folder}/run", every=1) as recorder:
            recorder.step(step=0, targets=[[1, 2]], logits=np.zeros((1, 2, 4)), reported="1.3863")
        batch = lossviz.recording.open_run(f"{folder}/run").batch(0)
    return [batch.targets.tolist(), batch.logits.tolist(), batch.reported]


def plays():
    """Every recording of the theatre as a wheel brings it, with its code; how many texts a worker would train on."""
    from lossviz.theatre import ACTS, code, read
    from lossviz.theatre._corpora import corpus

    pairs = [settings for act in ACTS for settings in act.settings]
    assert all(read(settings).finished and code(settings).changed for settings in pairs)
    return [len(pairs), *(len(corpus(name, "train")) for name in ("characters", "dates", "reviews"))]


def records_of_transformers():
    """Two steps of a model of transformers, recorded and opened again, and what else was loaded for it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    before = set(sys.modules)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=16, num_key_value_heads=2, **sizes))
    optimizer, tokens = torch.optim.SGD(model.parameters(), lr=0.5), torch.randint(1, 16, (4, 9))
    with tempfile.TemporaryDirectory() as folder:
        with lossviz.record_pytorch(f"{folder}/run", every=1):
            for _ in range(2):
                logits = model(tokens[:, :-1]).logits
                torch.nn.functional.cross_entropy(logits.reshape(-1, 16), tokens[:, 1:].reshape(-1)).backward()
                optimizer.step(), optimizer.zero_grad()
        run = lossviz.recording.open_run(f"{folder}/run")
        losses = [run.batch(step).shape for step in run.steps]
    heavy = {"tensorflow", "streamlit", "pandas", "plotly", "duckdb", "keras"}
    return {"steps": run.steps, "shapes": losses, "foreign": sorted(heavy & (set(sys.modules) - before))}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
