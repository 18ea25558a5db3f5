"""Arrays of other libraries, what is refused with a way out, and where the bytes of a mapped file lie."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch, sequence_loss
from lossviz.arrays import as_array, file_location, is_floating
from lossviz.errors import InputError

HALF = ml_dtypes.bfloat16
KERAS = (
    "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. "
    "It doesn't have any actual numerical value. You cannot convert it to a NumPy array."
)
TRAINED = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
SPARSE = "can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first."


class OnlyDlpack:
    """An array that knows nothing of NumPy, as JAX's once did."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def jax_array(array):
    """JAX has 64 bits where it is told so."""
    with jax.enable_x64(True):
        return jnp.asarray(array)


class Unreadable:
    def __array__(self, dtype=None, copy=None):
        raise TypeError


def refusal(value):
    with pytest.raises(InputError) as caught:
        as_array("logits", value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize(
    "make", [tf.constant, torch.tensor, jax_array, np.array, OnlyDlpack], ids=lambda make: make.__name__
)
def test_as_array_keeps_values_and_dtype_of_every_library(make, dtype):
    expected = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    array = as_array("targets", make(expected))
    assert type(array) is np.ndarray
    assert array.dtype == expected.dtype
    assert array.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "value",
    [
        tf.constant([1.5, -2.0], tf.bfloat16),
        torch.tensor([1.5, -2.0], dtype=torch.bfloat16, requires_grad=True),
        torch.tensor([[1.5, 0.0], [-2.0, 0.0]], dtype=torch.bfloat16)[:, 0],
        jnp.array([1.5, -2.0], jnp.bfloat16),
        np.array([1.5, -2.0], HALF),
    ],
    ids=["tensorflow", "torch", "torch strided", "jax", "ml_dtypes"],
)
def test_as_array_keeps_bfloat16(value):
    array = as_array("logits", value)
    assert array.dtype == HALF
    assert array.astype(float).tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    "value",
    [torch.tensor([1.0, 2.0], requires_grad=True), tf.Variable([1.0, 2.0]), torch.tensor([1.0, 0.0, 2.0, 0.0])[::2]],
    ids=["requires_grad", "variable", "strided"],
)
def test_as_array_reads_what_is_being_trained(value):
    assert as_array("logits", value).tolist() == [1.0, 2.0]


def test_as_array_does_not_copy():
    own, mine, theirs = np.ones(3), torch.ones(3), torch.ones(3, dtype=torch.bfloat16)
    assert as_array("logits", own) is own
    as_array("logits", mine)[0] = 5
    as_array("logits", theirs)[0] = 5
    assert (mine[0], theirs[0]) == (5, 5)
    frozen = jnp.ones(3)
    assert np.shares_memory(as_array("logits", frozen), as_array("logits", frozen))


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        ([[1, 2], [3]], "row 0 has 2 entries and row 1 has 1"),
        ([[1], [1], [1, 2, 3]], "row 0 has 1 entry and row 2 has 3"),
        ([1, [2, 3]], "row 0 has one bare number and row 1 has 2"),
        ([[2, 3], 1], "row 0 has 2 entries and row 1 has one bare number"),
        (([[1, 2], []]), "row 0 has 2 entries and row 1 has 0"),
    ],
)
def test_as_array_says_which_row_is_ragged(rows, got):
    assert refusal(rows) == (
        f"`logits` must be rectangular: {got}. Pad the shorter rows to one length and pass `lengths`."
    )


def test_as_array_says_that_inner_lists_are_ragged():
    assert refusal([[[1, 2], [3]], [[1, 2], [3, 4]]]) == (
        "`logits` must be rectangular: its rows are lists of unequal lengths. Pad them and pass `lengths`."
    )


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([1, None]), "object"),
        ([[1], [None]], "object"),
        (None, "object"),
        ({1, 2}, "object"),
        (tf.ragged.constant([[1, 2], [3]]), "object"),
        ([2**70], "object"),
        (["a", "b"], "<U1"),
        ([b"a"], "|S1"),
        ([1j], "complex128"),
        (np.array(["2026-11-20"], "M8[D]"), "datetime64[D]"),
        (np.zeros(2, [("a", "i4")]), "[('a', '<i4')]"),
    ],
)
def test_as_array_refuses_what_is_no_number(value, dtype):
    assert refusal(value) == (
        f"`logits` must hold plain numbers; got an array of dtype {dtype}. "
        "Convert it first, for example with `np.asarray(..., dtype='float32')`."
    )


def test_as_array_refuses_a_masked_array_whose_mask_would_be_lost():
    assert refusal(np.ma.array([1.0, 2.0], mask=[False, True])) == (
        "`logits` is a masked array, whose mask would be lost. Pass `logits.data`, and what counts as `weights=~mask`."
    )
    assert as_array("logits", np.ma.array([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_as_array_drops_subclasses_that_calculate_in_their_own_way():
    matrix = np.array([[1, 2], [3, 4]]).view(np.matrix)
    assert type(as_array("weights", matrix)) is np.ndarray
    assert (as_array("weights", matrix) * 2.0 * as_array("weights", matrix)).tolist() == [[2, 8], [18, 32]]


def test_as_array_refuses_a_symbolic_tensor():
    messages = []

    @tf.function
    def traced(x):
        messages.append(refusal(x))
        return x

    traced(tf.ones(3))
    assert messages == [
        (
            "`logits` could not be read as an array (SymbolicTensor: Cannot convert a symbolic tf.Tensor (x:0) to a "
            "numpy array. This error may indicate that you're trying to pass a Tensor to a NumPy call, which is not "
            "supported.). Pass concrete numbers, for example `tensor.numpy()` outside of `tf.function`."
        )
    ]


def test_as_array_refuses_what_jax_has_no_numbers_of():
    messages, deleted = [], jnp.ones(3)
    deleted.delete()

    @jax.jit
    def traced(x):
        messages.append(refusal(x))
        return x

    traced(jnp.ones(3))
    reasons = [
        (
            "DynamicJaxprTracer: The numpy.ndarray conversion method __array__() was called on traced array with shape "
            "float32[3]"
        ),
        "ArrayImpl: Array has been deleted with shape=float32[3].",
    ]
    assert [*messages, refusal(deleted)] == [
        f"`logits` could not be read as an array ({reason}). Pass concrete numbers, from outside of `jax.jit`."
        for reason in reasons
    ]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_batch_and_loss_of_jax_arrays(dtype):
    """Logits that are 0 have the loss ln 4 at each of the three timesteps."""
    arrays = {"logits": jnp.zeros((1, 3, 4), dtype), "targets": jnp.array([[1, 2, 0]], "uint8")}
    weights = jnp.array([[1.0, 0.5, 0.0]], dtype)
    batch = Batch.from_arrays(**arrays, weights=weights, lengths=jnp.array([2]), pad_id=jnp.array(0))
    assert (batch.logits.dtype.name, batch.targets.dtype.name, batch.weights.dtype.name) == (dtype, "int64", "float64")
    assert batch.targets.tolist() == [[1, 2, 0]]
    assert batch.weights.tolist() == [[1.0, 0.5, 0.0]]
    assert (batch.lengths.tolist(), batch.pad_id) == ([2], 0)
    assert float(sequence_loss(**arrays, weights=weights)) == pytest.approx(np.log(4))


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (torch.eye(2).to_sparse(), "Tensor", SPARSE),
        (torch.ones(2, device="meta"), "Tensor", "Cannot copy out of meta tensor; no data!"),
        ([torch.ones(2, requires_grad=True)] * 2, "list", TRAINED),
        (OnlyDlpack(torch.ones(2, dtype=torch.bfloat16)), "OnlyDlpack", "Unsupported dtype in DLTensor."),
        (tf.keras.Input((3,), name="x"), "KerasTensor", KERAS),
        (Unreadable(), "Unreadable", "no reason given"),
    ],
    ids=["sparse", "meta", "list of tensors", "dlpack bfloat16", "keras", "wordless"],
)
def test_as_array_passes_on_why_a_library_refuses(value, kind, reason):
    assert refusal(value) == (
        f"`logits` could not be read as an array ({kind}: {reason}). "
        "Pass concrete numbers, for example `tensor.numpy()` outside of `tf.function`."
    )


def test_is_floating_knows_four_dtypes():
    names = ["float16", "float32", "float64", "longdouble", "int32", "bool", "complex64"]
    assert [name for name in names if is_floating(np.dtype(name))] == ["float16", "float32", "float64"]
    assert is_floating(np.dtype(HALF))
    assert not is_floating(np.dtype(ml_dtypes.float8_e4m3fn))


@pytest.fixture
def mapped(tmp_path):
    """A `.npy` of [6, 4, 5] float32, its path and its memory map."""
    path = tmp_path / "logits.npy"
    np.save(path, np.random.default_rng(0).normal(size=(6, 4, 5)).astype("float32"))
    return path, np.load(path, mmap_mode="r")


@pytest.mark.parametrize(
    "cut",
    [np.s_[:], np.s_[2:], np.s_[3:5], np.s_[5, 1:], np.s_[2, 3, 1:], np.s_[4:5]],
    ids=["whole", "tail", "middle", "row", "cell", "one"],
)
def test_file_location_finds_the_bytes_of_a_slice(mapped, cut):
    path, array = mapped
    part = array[cut]
    found, offset = file_location(part) or pytest.fail("not mapped")
    assert found == path
    with path.open("rb") as file:
        file.seek(offset)
        assert file.read(part.nbytes) == part.tobytes()


def test_file_location_finds_bytes_beyond_the_first_page(tmp_path):
    path = tmp_path / "raw.bin"
    np.arange(3_000_000, dtype=np.uint8).tofile(path)
    array = np.memmap(path, np.uint8, "r", offset=1_234_567, shape=(1000, 100))
    found, offset = file_location(array[321:]) or pytest.fail("not mapped")
    assert (found, offset) == (path, 1_234_567 + 32_100)
    assert path.read_bytes()[offset] == array[321, 0]


def test_file_location_is_none_where_bytes_must_come_from_memory(tmp_path, mapped):
    path, array = mapped
    fortran = tmp_path / "fortran.npy"
    np.save(fortran, np.asfortranarray(np.ones((3, 4))))
    swapped = tmp_path / "swapped.npy"
    np.save(swapped, np.ones(3, ">f4" if np.little_endian else "<f4"))
    memory = [
        np.ones(3),
        np.array(array),
        array.copy(),
        array + 1,
        array[:, ::2],
        array.transpose(1, 0, 2),
        array[:0],
        np.load(path, mmap_mode="c"),
        np.load(fortran, mmap_mode="r"),
        np.load(swapped, mmap_mode="r"),
    ]
    assert [file_location(each) for each in memory] == [None] * len(memory)


def test_file_location_sees_writes_to_the_mapping(mapped):
    path, _ = mapped
    array = np.load(path, mmap_mode="r+")
    array[5, 3, 4] = 7
    found, offset = file_location(array[5, 3, 4:]) or pytest.fail("not mapped")
    assert np.frombuffer(found.read_bytes()[offset : offset + 4], np.float32).tolist() == [7]
