"""A user's loop for a fix to be pasted into: its names in each of three libraries, and what comes out in float64."""

from contextlib import contextmanager
from threading import Barrier, Thread
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tensorflow as tf
import torch

from lossviz.masking import resolve_mask

LIBRARIES = ("TensorFlow", "PyTorch", "JAX")
IMPORTS = {
    "TensorFlow": {"tf": tf},
    "PyTorch": {"torch": torch, "F": torch.nn.functional},
    "JAX": {"jax": jax, "jnp": jnp, "optax": optax},
}
MAKE = {"TensorFlow": tf.constant, "PyTorch": torch.tensor, "JAX": jnp.asarray}


def losses_of(logits, targets):
    """Cross entropy [B, T] in float64, from the definition; NaN where the target is no class."""
    x = np.asarray(logits, np.float64)
    known = (targets >= 0) & (targets < x.shape[2])
    with np.errstate(invalid="ignore"):
        top = x.max(axis=-1, keepdims=True)
        total = top[..., 0] + np.log(np.exp(x - top).sum(axis=-1))
        chosen = np.take_along_axis(x, np.where(known, targets, 0)[..., None], axis=-1)[..., 0]
        return np.where(known, total - chosen, np.nan)


def mean_of(losses, weights):
    """Σ w·loss ÷ Σ w in float64, of what counts."""
    counts = weights != 0
    return float((losses[counts] * weights[counts].astype(np.float64)).sum() / weights[counts].astype(np.float64).sum())


def held(batch, **more):
    """The names that a loop has for a batch: its arrays, and every timestep's loss; `more` replaces or adds some."""
    arrays = {
        name: getattr(batch, name) for name in ("logits", "targets", "inputs", "lengths", "weights", "segment_ids")
    }
    loop = {name: array for name, array in arrays.items() if array is not None}
    return {**loop, "losses": losses_of(batch.logits, batch.targets), **more}


def weights_of(batch, mask=None):
    return resolve_mask(batch, mask).weights


def tensor(library, value, ids=np.int64):
    """An array as a loop holds it: float32 (half stays half), ids or bool; in tuples and lists likewise."""
    if isinstance(value, tuple | list) and value and isinstance(value[0], np.ndarray | tuple):
        return type(value)(tensor(library, part, ids) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    value = value.astype(np.float32) if value.dtype.name == "bfloat16" and library == "PyTorch" else value
    value = value.astype({"f8": np.float32, "i8": ids}.get(value.dtype.str[1:], value.dtype))
    return MAKE[library](value)


def run(code, library, loop, ids=np.int64):
    """The names of the loop after the code, tensors as NumPy arrays."""
    names = {name: tensor(library, value, ids) for name, value in loop.items()}
    after = execute(code, library, names)
    return {name: array(value) for name, value in after.items() if name not in IMPORTS[library]}


def execute(code, library, names):
    """The names after the code, as they are."""
    scope = {**IMPORTS[library], **names}
    exec(compile(code, f"<{library}>", "exec"), scope)  # noqa: S102 (our own code)
    del scope["__builtins__"]
    return scope


def array(value):
    """A tensor as an array, everything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().float().numpy() if value.dtype == torch.bfloat16 else value.detach().numpy()
    if isinstance(value, jax.Array):
        return np.asarray(value)
    return value.numpy() if isinstance(value, tf.Tensor) else value


def gradient(code, library, loop):
    """D loss / d logits after the code, [B, T, V]."""
    names = {name: tensor(library, value) for name, value in loop.items()}
    logits = names["logits"]
    if library == "PyTorch":
        logits.requires_grad_()
        execute(code, library, names)["loss"].backward()
        return logits.grad.numpy()
    if library == "JAX":
        return np.asarray(jax.grad(lambda logits: execute(code, library, names | {"logits": logits})["loss"])(logits))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = execute(code, library, names)["loss"]
    return tape.gradient(loss, logits).numpy()


def on_ranks(code, library, loops, monkeypatch):
    """The names after the code on each of several ranks, which run at once and add up what they all-reduce."""
    ranks = Ranks(len(loops), library)
    with ranks.joined(monkeypatch):
        after = [None] * len(loops)
        threads = [
            Thread(target=lambda at=at: after.__setitem__(at, run(code, library, loops[at])))
            for at in range(len(loops))
        ]
        for rank, thread in enumerate(threads):
            thread.name = str(rank)
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    return after


class Ranks:
    """What `torch.distributed`, a replica context and `pmean` give to threads that are named by their rank."""

    def __init__(self, size, library):
        self.slots, self.barrier, self.library = [None] * size, Barrier(size, timeout=60), library

    def all_reduce(self, *arguments):
        """In PyTorch in place, of the tensor; in TensorFlow the result, of the operation's name and the tensor."""
        from threading import current_thread

        *operation, value = arguments
        assert operation in ([], ["SUM"])
        self.slots[int(current_thread().name)] = array(value).copy()
        self.barrier.wait()
        total = sum(self.slots)
        self.barrier.wait()
        return value.copy_(torch.tensor(total)) if self.library == "PyTorch" else MAKE[self.library](total)

    @contextmanager
    def joined(self, monkeypatch):
        with monkeypatch.context() as patch:
            if self.library == "TensorFlow":
                context = SimpleNamespace(all_reduce=self.all_reduce)
                patch.setattr(tf.distribute, "get_replica_context", lambda: context)
            elif self.library == "JAX":
                patch.setattr(jax.lax, "pmean", lambda value, _: self.all_reduce(value) / len(self.slots))
            else:
                patch.setattr(torch.distributed, "all_reduce", self.all_reduce)
                patch.setattr(torch.distributed, "get_world_size", lambda: len(self.slots))
            yield
