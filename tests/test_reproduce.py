import ast
import contextlib
import functools
import io
import os
import subprocess
import sys
from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lossviz import Batch, Settings, analyze, write
from lossviz.errors import InputError, SettingsError
from lossviz.reductions import REDUCTIONS, check_flags
from lossviz.reproduce import FILE, LIBRARIES, code, needs_file
from lossviz.reproduce._literals import values
from tests.golden import FRACTIONAL, TARGETS, golden_batch, golden_logits

pytestmark = pytest.mark.usefixtures("x64_as_it_was")
NAMES = ("tensorflow", "pytorch", "jax", "numpy")
EACH = [name if name != "jax" else pytest.param(name, marks=pytest.mark.xdist_group("jax")) for name in NAMES]
"""JAX compiles each operation for each shape: all of its scripts go to one worker."""


def legal(flags):
    with contextlib.suppress(SettingsError):
        check_flags(*flags)
        return True
    return False


LEGAL_FLAGS = [flags for flags in product((True, False), repeat=4) if legal(flags)]
OTHERS = [r.name for r in REDUCTIONS if r.name not in ("classification", "sequence_loss", "micro_batch_means")]
SETTINGS = (
    *(Settings(reduction=name) for name in OTHERS),
    *(Settings(None, "sequence_loss", *flags) for flags in LEGAL_FLAGS),
    *(Settings(reduction="micro_batch_means", accumulation_steps=k) for k in (1, 2, 7)),
    Settings(reduction="max_length", max_length=12),
)


def replaced(array, changes):
    array = np.array(array)
    for index, value in changes.items():
        array[index] = value
    return array


def random_logits(shape, dtype=np.float32):
    return np.random.default_rng(7).normal(scale=3, size=shape).astype(dtype)


def batches() -> dict[str, Batch]:
    logits = golden_logits()
    broken = replaced(logits, {(0, 0, 1): np.inf, (1, 1, 0): -np.inf, (2, 1, 3): -np.inf, (0, 3): np.nan})
    labels = np.where(np.arange(5) < np.array([5, 4, 2])[:, None], TARGETS, -100)
    wide = {"logits": random_logits((4, 9, 12)), "targets": np.arange(36).reshape(4, 9) % 12}
    return {
        "golden": golden_batch(),
        "golden float32": golden_batch(logits=logits.astype(np.float32)),
        "golden float16": golden_batch(logits=logits.astype(np.float16)),
        "golden bfloat16": golden_batch(logits=logits.astype(ml_dtypes.bfloat16)),
        "fractional weights": golden_batch(weights=FRACTIONAL),
        "negative weights": golden_batch(weights=replaced(FRACTIONAL, {(0, 0): -1.5})),
        "weights that cancel": golden_batch(weights=np.tile([1, -1, 0, 0, 0], (3, 1))),
        "ignore id": golden_batch(lengths=None, targets=labels, ignore_id=-100),
        "pad id": golden_batch(lengths=None, pad_id=0),
        "no mask": golden_batch(lengths=None),
        "an empty row": golden_batch(lengths=[5, 0, 2]),
        "nothing counts": golden_batch(lengths=[0, 0, 0]),
        "NaN under the mask": golden_batch(logits=replaced(logits, {(2, 3): np.nan, (1, 4, 0): np.inf})),
        "labels of padding that are no class": golden_batch(targets=replaced(TARGETS, {(2, 4): 2**32, (2, 3): -1})),
        "labels that count and are no class": golden_batch(targets=replaced(TARGETS, {(0, 4): 6, (1, 0): -100})),
        "logits that count and are not finite": golden_batch(logits=broken),
        "a target that can't be": golden_batch(logits=replaced(logits, {(0, 0, 2): -np.inf})),
        "lengths below 0 and above T": golden_batch(lengths=[10, -1, 2]),
        "a fractional length": golden_batch(lengths=[5, 2.7, 2]),
        "confident": golden_batch(logits=logits * 4 + 100),
        "one class": Batch.from_arrays(logits=np.ones((2, 2, 1)), targets=np.zeros((2, 2), int)),
        "no sequences": Batch.from_arrays(logits=np.zeros((0, 5, 6)), targets=np.zeros((0, 5), int), lengths=[]),
        "no timesteps": Batch.from_arrays(logits=np.zeros((2, 0, 6)), targets=np.zeros((2, 0), int), lengths=[0, 0]),
        "a file": Batch.from_arrays(**wide, lengths=[9, 1, 4, 0], title="Large"),
        "a file with weights": Batch.from_arrays(**wide, weights=np.arange(36).reshape(4, 9) / 7),
        "a file of bfloat16": Batch.from_arrays(**wide | {"logits": wide["logits"].astype(ml_dtypes.bfloat16)}),
        "a file of float16": Batch.from_arrays(**wide | {"logits": wide["logits"].astype(np.float16)}, pad_id=3),
    }


def classifiers() -> dict[str, Batch]:
    logits = np.array([[0.5, -2.0, 40.0, -40.0], [3.0, -0.1, 0.0, 8.0], [1.0, 1.0, 1.0, 1.0]])[..., None]
    targets = np.array([[0, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])
    return {
        "lengths": Batch.from_arrays(logits=logits, targets=targets, lengths=[4, 2, 0]),
        "no mask": Batch.from_arrays(logits=logits.astype(np.float32), targets=targets),
        "weights with a hole": Batch.from_arrays(logits=logits, targets=targets, weights=[[1, 0, 1, 0]] * 3),
        "a label that is no class": Batch.from_arrays(logits=logits, targets=targets + 1, lengths=[4, 2, 0]),
        "a length above T": Batch.from_arrays(logits=logits, targets=targets, lengths=[4, 9, 0]),
        "NaN where it is not read": Batch.from_arrays(
            logits=replaced(logits, {(0, 0, 0): np.nan}), targets=targets, lengths=[4, 2, 0]
        ),
    }


def printed(script: str) -> Any:
    """What a script prints, as numbers; it runs on its own, without any name of ours."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})  # noqa: S102
    return eval(stream.getvalue(), {"nan": np.nan, "inf": np.inf})  # noqa: S307


@functools.cache
def analyses(case):
    return [analyze(batches()[case], settings) for settings in SETTINGS]


def check(analysis, library):
    """The script gives the number, names the divisor, and fits a page."""
    script = code(analysis, library)
    assert f"divided by {analysis.divisor_counts}" in script or f"{analysis.divisor_counts}.\n" in script
    assert max(map(len, script.splitlines())) <= 120
    expected = np.asarray(analysis.value)
    actual = np.asarray(printed(script), dtype=np.float64)
    assert actual.shape == expected.shape or actual.size == expected.size == 0, (analysis.settings, library)
    np.testing.assert_allclose(
        actual.reshape(expected.shape), expected, rtol=1e-5, atol=0, err_msg=f"{analysis.settings} {library}"
    )


@pytest.fixture
def batch_file(tmp_path, monkeypatch):
    """Writes a batch where a script looks for it."""
    monkeypatch.chdir(tmp_path)
    return lambda batch: write(batch.fields(), FILE)


@pytest.mark.parametrize("library", EACH)
@pytest.mark.parametrize("case", batches())
def test_code_gives_the_number_names_the_divisor_and_fits_a_page(case, library, batch_file):
    if needs_file(analyses(case)[0]):
        batch_file(analyses(case)[0].batch)
    for analysis in analyses(case):
        check(analysis, library)


@pytest.mark.parametrize("library", EACH)
@pytest.mark.parametrize("case", classifiers())
def test_code_gives_the_number_of_a_classifier(case, library):
    check(analyze(classifiers()[case], Settings(reduction="classification")), library)


@pytest.mark.parametrize("library", EACH)
def test_code_follows_the_mask_of_the_settings(library):
    for mask in ("lengths", "weights", "nonpad", "ignore_id", "none"):
        check(analyze(golden_batch(weights=FRACTIONAL, ignore_id=4, pad_id=1), Settings(mask=mask)), library)


def test_code_runs_as_a_script_of_its_own(tmp_path):
    (tmp_path / "script.py").write_text(code(analyze(golden_batch()), "numpy"), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert round(float(run.stdout), 9) == 1.254545455


def test_code_for_numpy_reads_as_a_person_would_write_it():
    logits = np.array([[[0.5, 0.25], [1.0, np.nan]]], np.float32)
    batch = Batch.from_arrays(logits=logits, targets=[[1, -100]], ignore_id=-100, title="Two timesteps")
    assert code(analyze(batch), "numpy") == (
        """\
# 'Two timesteps', B=1 sequences, T=2 timesteps, V=2 classes
# Mean: Σ w·loss ÷ Σ w, mask: ignore_id
# lossviz 0.1.0: 0.825939 = 0.825939 ÷ 1 (timesteps that count)

from math import inf, nan

import numpy as np

logits = np.array([[[0.5, 0.25], [1, nan]]], dtype=np.float32)  # [B, T, V]
targets = np.array([[1, -100]], dtype=np.int64)  # [B, T]
logits = logits.astype(np.float64)  # float64 keeps the digits of small losses

# A timestep counts where its target is not -100.
weights = (targets != -100).astype(np.float64)

# Where the weight is 0, harmless values go in before the loss: 0 * nan would be nan.
counts = weights != 0
logits = np.where(counts[..., None], logits, 0.0)
targets = np.where(counts, targets, 0)

shifted = logits - logits.max(axis=-1, keepdims=True)
log_probability = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
batch_loss = -np.take_along_axis(log_probability, targets[..., None], axis=-1)[..., 0]
unpadded_loss = weights * batch_loss

numerator = unpadded_loss.sum()
# The divisor: 1 timesteps that count.
divisor = weights.sum()
value = numerator / divisor
print(value.tolist())
"""
    )


MEANS = {
    ("sequence_means", "pytorch"): """\
sums = unpadded_loss.sum(axis=1)  # of each sequence
totals = weights.sum(axis=1)  # of each sequence
means = sums / totals
numerator = means.sum()
# The divisor: 3 sequences, each by its own mean.
divisor = targets.shape[0]
value = numerator / divisor
print(value.tolist())
""",
    ("filled_sequence_means", "jax"): """\
sums = unpadded_loss.sum(axis=1)  # of each sequence
totals = weights.sum(axis=1)  # of each sequence
means = jnp.where(totals != 0, sums / totals, 0.0)
numerator = means.sum()
# The divisor: 2 sequences that are not empty, each by its own mean.
divisor = jnp.count_nonzero(totals)
value = numerator / divisor
print(value.tolist())
""",
    ("timestep_means_sum", "numpy"): """\
sums = unpadded_loss.sum(axis=0)  # of each timestep
totals = weights.sum(axis=0)  # of each timestep
means = sums / totals
value = means.sum()  # divided by nothing: the means of the timesteps are summed
print(value.tolist())
""",
    ("micro_batch_means", "tensorflow"): """\
sizes = [targets.shape[0] // 2 + (i < targets.shape[0] % 2) for i in range(2)]
sums = tf.stack([tf.reduce_sum(part) for part in tf.split(unpadded_loss, sizes)])
totals = tf.stack([tf.reduce_sum(part) for part in tf.split(weights, sizes)])
means = sums / totals
numerator = tf.reduce_sum(means)
# The divisor: 2 micro-batches, each by its own mean.
divisor = 2
value = numerator / divisor
print(value.numpy().tolist())
""",
    ("decoder_length", "numpy"): """\
numerator = unpadded_loss.sum()
# The divisor: 4.125 timesteps that count, over the mean length less 1.
total = weights.sum()
mean_length = total / targets.shape[0]
value = numerator / total * (mean_length - 1)
print(value.tolist())
""",
    ("with_first_labels", "pytorch"): """\
numerator = unpadded_loss.sum()
# The divisor: 14 timesteps that count, and each sequence's first label.
divisor = weights.sum() + torch.count_nonzero(weights[:, :1])
value = numerator / divisor
print(value.tolist())
""",
}


@pytest.mark.parametrize(("reduction", "library"), MEANS)
def test_code_of_a_reduction_reads_as_its_formula(reduction, library):
    batch = golden_batch(lengths=[5, 0, 2]) if reduction == "filled_sequence_means" else golden_batch()
    script = code(analyze(batch, Settings(reduction=reduction, accumulation_steps=2)), library)
    assert script.split("unpadded_loss = weights * batch_loss\n\n")[1] == MEANS[reduction, library]


@pytest.mark.parametrize("library", EACH)
def test_code_does_not_write_out_more_micro_batches_than_there_are_sequences(library):
    analysis = analyze(golden_batch(), Settings(reduction="micro_batch_means", accumulation_steps=2**53 - 1))
    np.testing.assert_allclose(printed(code(analysis, library)), 4.26 / (2**53 - 1), rtol=1e-9)


@pytest.mark.parametrize("library", NAMES)
@pytest.mark.parametrize(
    "title", ["\nraise SystemExit", "\r1/0", '"""\n', "\u2028import os", "\x00", "\ud800", "'; 1/0 #"]
)
def test_code_keeps_a_title_inside_its_comment(title, library):
    with_title, without = (code(analyze(golden_batch(title=t)), library) for t in (title, "plain"))
    assert ast.dump(ast.parse(with_title)) == ast.dump(ast.parse(without))
    assert with_title.count("\n") == without.count("\n")
    with_title.encode()


@pytest.mark.parametrize("library", NAMES)
def test_code_shows_no_token_of_the_vocabulary(library):
    words = ["\nimport os", "__import__", '"""', "a", "b", "c"]
    assert code(analyze(golden_batch(vocabulary=words)), library) == code(analyze(golden_batch()), library)


def test_needs_file_from_the_401st_logit():
    small, large = (Batch.from_arrays(logits=np.zeros((1, n, 1)), targets=np.zeros((1, n), int)) for n in (400, 401))
    assert [needs_file(analyze(batch)) for batch in (small, large)] == [False, True]
    assert f'np.load("{FILE}")' in code(analyze(large), "pytorch")


def test_libraries_have_their_names_and_titles():
    assert [(library.name, library.title) for library in LIBRARIES] == [
        ("tensorflow", "TensorFlow"),
        ("pytorch", "PyTorch"),
        ("jax", "JAX"),
        ("numpy", "NumPy"),
    ]


def test_code_lists_the_libraries_that_exist():
    with pytest.raises(InputError) as caught:
        code(analyze(golden_batch()), "mxnet")
    assert str(caught.value) == "`library` must be one of 'tensorflow', 'pytorch', 'jax', 'numpy'; got 'mxnet'."


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_reads_back_to_the_same_numbers(dtype):
    bits = np.random.default_rng(3).bytes(np.dtype(dtype).itemsize * 2000)
    array = np.frombuffer(bits, dtype).reshape(4, 10, 50)
    back = np.array(eval(values(array), {"nan": np.nan, "inf": np.inf}), dtype)  # noqa: S307
    assert np.array_equal(back, array, equal_nan=True)
