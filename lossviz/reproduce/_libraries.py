"""The code templates of each library; a library is one row here. `_script` fills in {…}."""

from dataclasses import dataclass

__all__ = ["LIBRARIES", "Library"]


@dataclass(frozen=True)
class Library:
    """The code templates of one library.

    Attributes:
        name: what `lossviz.reproduce.code` takes; `title`: what people call it.
        alias: the module that holds `where`, `zeros`, `ones_like` and the dtypes.
        imports: the first lines.
        array: numbers written out; `loaded`: an array of the file.
        cast: an expression in another dtype.
        length_mask: which timesteps are before the end of their sequence.
        later: [B, T], the number of unmasked timesteps from here on.
        softmax: the lines that give `batch_loss` [B, T]; `sigmoid`: likewise, from one logit.
        total: a sum; {axis} is the argument that names an axis, or nothing, {more} the same behind another argument.
        nonzero: a count of numbers other than 0.
        divide: {n} ÷ {d} where {d} may be 0.
        split: [B, …] in {pieces} along the batch; `sizes`: a line before it, or "".
        shown: the plain Python numbers of an array.
    """

    name: str
    title: str
    alias: str
    imports: str
    array: str
    loaded: str
    cast: str
    length_mask: str
    later: str
    softmax: str
    sigmoid: str
    total: str
    nonzero: str
    divide: str
    split: str
    shown: str
    sizes: str = ""


_LENGTHS = "{m}.arange({timesteps}) < lengths[:, None]"

JAX = Library(
    name="jax",
    title="JAX",
    alias="jnp",
    imports='import jax\nimport jax.numpy as jnp\n\njax.config.update("jax_enable_x64", True)',
    array="jnp.array({values}, dtype=jnp.{dtype})",
    loaded="jnp.asarray({array})",
    cast="({x}).astype(jnp.{dtype})",
    length_mask=_LENGTHS,
    later="jnp.cumsum(counts[:, ::-1], axis=1)[:, ::-1]",
    softmax="""\
log_probability = jax.nn.log_softmax(logits, axis=-1)
batch_loss = -jnp.take_along_axis(log_probability, targets[..., None], axis=-1)[..., 0]""",
    sigmoid="""\
z = logits[..., 0]
batch_loss = jax.nn.softplus(jnp.where(targets == 1, -z, z))""",
    total="{x}.sum({axis})",
    nonzero="jnp.count_nonzero({x}{more})",
    divide="jnp.where({d} != 0, {n} / {d}, 0.0)",
    split="jnp.array_split({x}, {pieces})",
    shown="{x}.tolist()",
)

NUMPY = Library(
    name="numpy",
    title="NumPy",
    alias="np",
    imports="import numpy as np",
    array="np.array({values}, dtype=np.{dtype})",
    loaded="{array}",
    cast="({x}).astype(np.{dtype})",
    length_mask=_LENGTHS,
    later="np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]",
    softmax="""\
shifted = logits - logits.max(axis=-1, keepdims=True)
log_probability = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
batch_loss = -np.take_along_axis(log_probability, targets[..., None], axis=-1)[..., 0]""",
    sigmoid="""\
z = logits[..., 0]
batch_loss = np.logaddexp(0.0, np.where(targets == 1, -z, z))""",
    total="{x}.sum({axis})",
    nonzero="np.count_nonzero({x}{more})",
    divide="np.divide({n}, {d}, out=np.zeros_like({n}), where={d} != 0)",
    split="np.array_split({x}, {pieces})",
    shown="{x}.tolist()",
)

PYTORCH = Library(
    name="pytorch",
    title="PyTorch",
    alias="torch",
    imports="import torch\nimport torch.nn.functional as F",
    array="torch.tensor({values}, dtype=torch.{dtype})",
    loaded="torch.from_numpy({array})",
    cast="({x}).to(torch.{dtype})",
    length_mask=_LENGTHS,
    later="counts.flip(1).cumsum(1).flip(1)",
    softmax="""\
batch_loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)""",
    sigmoid="""\
labels = targets.to(logits.dtype)
batch_loss = F.binary_cross_entropy_with_logits(logits[..., 0], labels, reduction="none")""",
    total="{x}.sum({axis})",
    nonzero="torch.count_nonzero({x}{more})",
    divide="torch.where({d} != 0, {n} / {d}, 0.0)",
    split="{x}.tensor_split({pieces})",
    shown="{x}.tolist()",
)

TENSORFLOW = Library(
    name="tensorflow",
    title="TensorFlow",
    alias="tf",
    imports="import tensorflow as tf",
    array="tf.constant({values}, dtype=tf.{dtype})",
    loaded="tf.constant({array})",
    cast="tf.cast({x}, tf.{dtype})",
    length_mask="tf.sequence_mask(lengths, maxlen={timesteps})",
    later="tf.cumsum(tf.cast(counts, tf.int32), axis=1, reverse=True)",
    softmax="""\
batch_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)""",
    sigmoid="""\
labels = tf.cast(targets, logits.dtype)
batch_loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits[..., 0])""",
    total="tf.reduce_sum({x}{more})",
    nonzero="tf.math.count_nonzero({x}{more}, dtype=weights.dtype)",
    divide="tf.math.divide_no_nan({n}, {d})",
    split="tf.split({x}, sizes)",
    shown="{x}.numpy().tolist()",
    sizes="sizes = [{sequences} // {pieces} + (i < {sequences} % {pieces}) for i in range({pieces})]",
)

LIBRARIES: tuple[Library, ...] = (TENSORFLOW, PYTORCH, JAX, NUMPY)
