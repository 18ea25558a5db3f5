"""From the names in a file to the names lossviz uses: exactly, by the caller's mapping, or by a proposal."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.errors import FormatError, NamesError, did_you_mean
from lossviz.file_arrays import ARRAYS
from lossviz.formats._common import Fields, listing
from lossviz.formats._fields import FIELDS, IDS, RECORDED, TEXTS, VOCABULARIES, describe, plain

ALIASES: dict[str, tuple[str, ...]] = {
    "logits": ("logit", "lm_logits", "output", "outputs", "scores", "predictions", "preds", "y_pred"),
    "targets": ("target", "labels", "label", "target_ids", "output_sequences", "decoder_outputs", "y_true", "y"),
    "lengths": ("length", "lens", "seq_lens", "seq_lengths", "sequence_lengths", "dec_seq_lens", "target_lengths"),
    "weights": ("weight", "mask", "masks", "loss_mask", "attention_mask", "loss_weights", "sample_weight"),
    "inputs": ("input", "input_ids", "input_sequences", "tokens", "x"),
    "segment_ids": ("segment_id", "segments", "document_ids", "doc_ids", "sequence_ids"),
    "vocabulary": ("vocab", "itos", "id_to_token", "tokens", "classes"),
    "pad_id": ("pad", "pad_token_id", "padding_idx", "padding_id"),
    "eos_id": ("eos", "eos_token_id"),
    "ignore_id": ("ignore", "ignore_index"),
    "reported": ("reported_loss", "printed_loss", "loss"),
    "title": ("name", "description"),
    "sequence": ("seq", "sequence_id", "seq_id", "batch", "row", "b"),
    "timestep": ("step", "time", "position", "pos", "t"),
    "class": ("class_id", "token_id", "v", "k"),
    "token": ("word", "text"),
}
ALIASES |= {  # a table's columns are called as the arrays, in the singular
    column: (array, *ALIASES[array])
    for column, array in {
        "logit": "logits",
        "target": "targets",
        "length": "lengths",
        "weight": "weights",
        "input": "inputs",
        "segment_id": "segment_ids",
    }.items()
}
_KINDS = {"logits": "fV", "logit": "fiu"} | dict.fromkeys(("weights", "weight", "lengths", "length"), "fiub")
_KINDS |= dict.fromkeys(("losses", "log_probs", "entropy", "rank", "top_probabilities"), "fiuV")
_RANKS = {"logits": 3, "targets": 2, "lengths": 1, "weights": 2, "inputs": 2, "segment_ids": 2}
_RANKS |= dict.fromkeys(("losses", "log_probs", "entropy", "rank"), 2)
_RANKS |= dict.fromkeys(("top_classes", "top_probabilities"), 3)
_RANKS |= dict.fromkeys(VOCABULARIES, 1)


def propose(arrays: Mapping[str, Any], asks: tuple[str, ...] = FIELDS) -> dict[str, str]:
    """Propose which of a file's arrays is which, by name, rank and dtype; nothing is applied.

    Args:
        arrays: what a file holds, by its own names.
        asks: the names to find.

    Returns:
        A mapping from the names asked for to names in the file; what can't be told is left out.

    >>> propose({"output": np.zeros((2, 3, 5)), "labels": np.zeros((2, 3), int)})
    {'logits': 'output', 'targets': 'labels'}
    """
    found = {name: name for name in asks if name in arrays}
    for match in (_by_alias, _by_shape):
        for name in asks:
            free = {key: value for key, value in arrays.items() if key not in found.values()}
            logits = np.shape(arrays[found["logits"]]) if "logits" in found else ()
            if name not in found and (key := match(name, free, logits)) is not None:
                found[name] = key
    return {name: found[name] for name in asks if name in found}


def _by_alias(name: str, free: Mapping[str, Any], _: tuple[int, ...]) -> str | None:
    plain = {key.lower().replace("-", "_").replace(" ", "_").rsplit("/")[-1]: key for key in free}
    for alias in (name, *ALIASES.get(name, ())):
        if alias in plain and _fits(name, free[plain[alias]]):
            return plain[alias]
    return None


def _by_shape(name: str, free: Mapping[str, Any], logits: tuple[int, ...]) -> str | None:
    """The only array that can be the one: logits by rank 3, the rest by agreeing with the logits' axes."""
    if name == "logits":
        return _only([key for key, value in free.items() if _fits(name, value)])
    if name not in ("targets", "lengths", "vocabulary") or len(logits) != 3:
        return None
    shape = {"targets": logits[:2], "lengths": logits[:1], "vocabulary": logits[2:]}[name]
    return _only([key for key, value in free.items() if _fits(name, value) and np.shape(value) == shape])


def _only(keys: list[str]) -> str | None:
    return keys[0] if len(keys) == 1 else None


def _fits(name: str, value: Any) -> bool:
    """Whether a value has the rank and the kind of dtype that a name needs."""
    whole = value if isinstance(value, ARRAYS) else np.asarray(value)
    kind, rank = ("U", 1) if isinstance(value, list) else (whole.dtype.kind, whole.ndim)
    if name in (*VOCABULARIES, "token", *TEXTS):
        return kind in "US" and rank == (0 if name in TEXTS else 1)
    if rank != _RANKS.get(name, 0 if name in IDS else 1):
        return False
    return kind in _KINDS.get(name, "iu")


def choose(arrays: Mapping[str, Any], names: Mapping[str, str] | None, file: str) -> Fields:
    """Pick the fields out of everything found in a file.

    Args:
        arrays: what the file holds, by its own names.
        names: from lossviz names to the file's names; None asks for the exact names and refuses look-alikes of
            arrays that would change the number, `{}` takes the exact names and leaves the rest.
        file: the file's name, for the message.

    Raises:
        NamesError: `logits` or `targets` were not found, or an array that changes the number may have been missed.
    """
    given = dict(names or {})
    check_names(given, arrays, FIELDS, file)
    taken = set(given.values())
    named = [name for name in FIELDS if _is_named(name, arrays) and name not in given and name not in taken]
    chosen = given | {name: name for name in named}
    if "logits" in chosen:  # which give all that may have been recorded beside them
        chosen = {name: key for name, key in chosen.items() if name in given or name not in (*RECORDED, "classes")}
    held = next((name for name in ("logits", "losses", "log_probs") if name in chosen), "logits")
    missing = [name for name in (held, "targets") if name not in chosen]
    if missing:
        raise NamesError(not_found(arrays, missing, FIELDS, file), arrays)
    if names is None:
        axes = np.shape(arrays[chosen[held]])
        refuse_overlooked(
            arrays, chosen, {"lengths": axes[:1], "weights": axes[:2], "pad_id": (), "ignore_id": ()}, file
        )
    return {name: plain(name, arrays[chosen[name]], file) for name in FIELDS if name in chosen}


def _is_named(name: str, arrays: Mapping[str, Any]) -> bool:
    """Whether a file holds a field by its own name; `classes` is a count only where it is one number."""
    return name in arrays and (name != "classes" or _fits(name, arrays[name]))


def check_names(names: Mapping[str, str], arrays: Mapping[str, Any], asks: tuple[str, ...], file: str) -> None:
    """Refuse a mapping of names that don't exist.

    Raises:
        FormatError: a name that lossviz does not use.
        NamesError: a name that is not in the file.
    """
    for name, key in names.items():
        if name not in asks:
            raise FormatError(
                f"`names` maps `{name}`, which is none of {listing(asks, 'or', 24)}.{did_you_mean(name, asks)}"
            )
        if key not in arrays:
            held = listing(describe(*item) for item in arrays.items()) or "nothing"
            raise NamesError(
                f"`names` maps `{name}` to `{key}`, but `{file}` holds {held}.{did_you_mean(key, tuple(arrays))}",
                arrays,
            )


def not_found(arrays: Mapping[str, Any], missing: list[str], asks: tuple[str, ...], file: str) -> str:
    """Say what a file holds, what was looked for, and which could be which."""
    held = listing(describe(*item) for item in arrays.items()) or "no arrays"
    proposed = {name: key for name, key in propose(arrays, asks).items() if name != key}
    message = f"`{file}` holds {held}; looked for {listing(f'`{name}`' for name in missing)}."
    if not proposed:
        return f"{message} Pass `names=` to say which is which."
    return f"{message} Did you mean {_pairs(proposed)}? Pass `names={json.dumps(proposed, ensure_ascii=False)}`."


def refuse_overlooked(
    arrays: Mapping[str, Any], chosen: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]], file: str
) -> None:
    """Refuse a file whose unused arrays look like ones that would change the number.

    Args:
        arrays: what the file holds, by its own names.
        chosen: which of them are used for which name.
        shapes: the names that would change the number, and the shape each must have.
        file: the file's name, for the message.

    Raises:
        NamesError: there is such an array.
    """
    rest = {key: value for key, value in arrays.items() if key not in chosen.values()}
    proposed = propose(rest, tuple(shapes)).items()
    found = {name: key for name, key in proposed if name not in chosen and np.shape(rest[key]) == shapes[name]}
    if found:
        raise NamesError(
            f"`{file}` also holds {listing(describe(key, rest[key]) for key in found.values())}. Did you mean "
            f"{_pairs(found)}? Pass `names={json.dumps(found, ensure_ascii=False)}`, or `names={{}}` to leave "
            f"{'it' if len(found) == 1 else 'them'} out.",
            arrays,
        )


def _pairs(pairs: Mapping[str, str]) -> str:
    return listing(f"`{key}` for `{name}`" for name, key in pairs.items())
