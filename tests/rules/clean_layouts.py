"""Right batches as files of other layouts: the fields that a file of that kind holds, drawn at random."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz import analyze
from lossviz.batch import Batch
from tests.rules.clean import CLEAN, EOS, GO, PAD, text, trained

Random = np.random.Generator
Fields = dict[str, Any]

TURNED = ("logits", "targets", "weights", "inputs", "segment_ids")


def time_first(batch: Batch) -> Fields | None:
    """Logits [T, B, V] beside lengths [B], which show it."""
    if batch.lengths is None or batch.shape[0] == batch.shape[1]:
        return None
    fields = batch.fields()
    return fields | {name: np.swapaxes(fields[name], 0, 1) for name in TURNED if name in fields}


def probabilities(batch: Batch) -> Fields | None:
    """The softmax of the logits, as a Keras model returns it."""
    logits = batch.logits.astype(np.float64)
    if batch.shape[2] < 2 or batch.logits.dtype.itemsize < 4 or not np.isfinite(logits).all():
        return None
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return batch.fields() | {"logits": shares / shares.sum(axis=-1, keepdims=True)}


def losses_only(batch: Batch) -> Fields | None:
    """The loss of every timestep that counts, and no logits: a fused loop never computes the others."""
    analysis = analyze(batch)
    if not np.isfinite(analysis.batch_loss[analysis.mask]).all() or batch.shape[2] < 2:
        return None
    fields = {name: value for name, value in batch.fields().items() if name != "logits"}
    return fields | {"losses": np.where(analysis.mask, analysis.batch_loss, np.nan), "classes": batch.shape[2]}


OF_BATCHES: dict[str, Callable[[Batch], Fields | None]] = {
    "time first": time_first,
    "probabilities": probabilities,
    "losses only": losses_only,
}


def hugging_face(random: Random) -> Fields:
    """Tokens as inputs, and as labels with −100 where nothing is learnt; the model shifts inside."""
    end = PAD if random.random() < 0.3 else EOS  # GPT-2: one id ends and pads
    it = text(random, least=5, end=end)
    ids = np.concatenate([np.full((len(it.targets), 1), GO), it.targets], axis=1)
    real = np.arange(ids.shape[1]) <= it.lengths[:, None]
    learnt = real.copy()
    if random.random() < 0.5:  # answers after prompts
        learnt &= np.arange(ids.shape[1]) >= (it.lengths * random.uniform(0.1, 0.8, len(ids))).astype(int)[:, None]
    logits = trained(random, it.targets, it.chain, it.inputs)
    logits = np.concatenate([logits, random.normal(0, 1, (len(ids), 1, len(it.chain)))], axis=1).astype("f4")
    fields: Fields = {
        "logits": logits,
        "labels": np.where(learnt, ids, -100),
        "input_ids": ids,
        "attention_mask": real * 1,
    }
    if random.random() < 0.5:
        del fields["attention_mask"]
    return fields


def encoder_decoder(random: Random) -> Fields:
    """Labels that are aligned with the logits, and the inputs of an encoder."""
    it = text(random, least=5)
    labels = np.where(it.counts, it.targets, -100)
    source = random.integers(3, len(it.chain), it.targets.shape)
    return {"logits": trained(random, it.targets, it.chain, it.inputs), "labels": labels, "input_ids": source}


def packed(random: Random) -> Fields:
    """Documents one after the other in one row, with what says where they begin."""
    it = text(random, rows=int(random.integers(2, 6)), least=4)
    rows = [np.arange(length) for length in it.lengths]
    logits = trained(random, it.targets, it.chain, it.inputs)
    flat = {
        "logits": np.concatenate([logits[row, at] for row, at in enumerate(rows)])[None],
        "targets": np.concatenate([it.targets[row, at] for row, at in enumerate(rows)])[None],
        "inputs": np.concatenate([it.inputs[row, at] for row, at in enumerate(rows)])[None],
    }
    where: list[Fields] = [
        {"cu_seqlens": np.concatenate([[0], np.cumsum(it.lengths)])},
        {"position_ids": np.concatenate(rows)[None]},
        {"segment_ids": np.repeat(np.arange(len(rows)), it.lengths)[None]},
    ]
    return flat | where[random.integers(3)] | {"eos_id": EOS}


OF_THEIR_OWN: dict[str, Callable[[Random], Fields]] = {
    "Hugging Face": hugging_face,
    "encoder-decoder": encoder_decoder,
    "packed": packed,
}

KINDS = tuple(kind for kind in CLEAN if kind != "printed")
