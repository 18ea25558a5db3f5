"""Several documents in one row: logits [1, N, V] or [N, V] with `cu_seqlens`, `position_ids` or `segment_ids`.

`cu_seqlens` holds where documents begin and the end, `position_ids` start again at 0 in each, `segment_ids` differ
between them; a last segment 0 after others is padding. Each document becomes a sequence, so that "each sequence's mean"
is by document. Where a document's last timestep is trained to predict the first token of the next, the row stays whole
and keeps its `segment_ids`: that is what is to be looked at (RED14).

- `--layout plain` leaves the row as it is; `--layout packed` cuts it up in any case.
"""

import numpy as np

from lossviz.layouts._alignment import IGNORED
from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]

Array = np.ndarray
_CUMULATIVE = ("cu_seqlens", "cu_seqlens_q", "cu_seq_lens", "cu_seq_lens_q", "cu_doc_lens", "offsets")
_POSITIONS = ("position_ids", "positions", "targets_position", "decoder_positions", "input_pos", "inputs_position")
_CUT = ("logits", "targets", "weights", "inputs")


def read(draft: Draft) -> Draft | None:
    """Make a sequence of each document."""
    if len(draft.shape("logits")) != 3 or draft.shape("targets") != draft.shape("logits")[:2]:
        return None
    documents, source = _documents(draft)
    if documents is None or not (np.diff(documents, axis=1) != 0).any():
        return None
    forced = draft.choices.forces("packed")
    if len(documents) != 1 or (not forced and _reaches_across(draft, documents[0])):
        if "segment_ids" in draft:
            return _without_padding(draft, documents, source)
        kept = draft.replacing(segment_ids=documents)
        return kept.assuming(f"{source} says where the documents of a row begin", "layout")
    return _cut(draft, documents[0], source)


def _without_padding(draft: Draft, documents: Array, source: str) -> Draft | None:
    """No weight for the last segment 0 of a row, where nothing else says what counts."""
    if {"weights", "lengths", "ignore_id", "pad_id"} & {*draft.fields} or (documents >= 0).all():
        return None
    return draft.replacing(weights=(documents >= 0).astype(float)).assuming(
        f"{source} 0 at the end of a row is padding", "weights", "none"
    )


def _documents(draft: Draft) -> tuple[Array | None, str]:
    """The document of each timestep [B, T], −1 for padding, and the field that says so."""
    shape = draft.shape("targets")
    key = next((name for name in _CUMULATIVE if name in draft), None)
    if key and shape[0] == 1:
        starts = np.asarray(draft[key]).reshape(-1)[1:]
        return np.searchsorted(starts, np.arange(shape[1]), side="right")[None], key
    if draft.shape("segment_ids") == shape:
        segments = np.asarray(draft["segment_ids"])
        return np.where(_is_padding_segment(segments), -1, segments), draft.called("segment_ids")
    if places := next((name for name in _POSITIONS if draft.shape(name) == shape), None):
        return _by_positions(draft, np.asarray(draft[places])), places
    return None, ""


def _is_padding_segment(segments: Array) -> Array:
    """Where segment 0 stands at the end of a row that has other segments before."""
    later = np.logical_and.accumulate((segments == 0)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(later & (segments[:, :1] > 0))


def _by_positions(draft: Draft, positions: Array) -> Array | None:
    """A document begins where the position is 0 again, and the timestep before is real."""
    real = np.ones(positions.shape, bool)
    if draft.shape("attention_mask") == positions.shape:
        real = np.asarray(draft["attention_mask"]) != 0
    begins = np.zeros(positions.shape, bool)
    begins[:, 1:] = (positions[:, 1:] == 0) & real[:, :-1] & (positions[:, :-1] >= 0)
    return np.asarray(np.cumsum(begins, axis=1))


def _counts(draft: Draft) -> Array:
    targets = np.asarray(draft["targets"])
    counts: Array = targets != draft.fields.get("ignore_id", IGNORED)
    return counts & (np.asarray(draft["weights"]) != 0) if "weights" in draft else counts


def _reaches_across(draft: Draft, documents: Array) -> bool:
    """Whether the last timestep of a document counts, with the first token of the next as its target."""
    ends = np.flatnonzero((documents[:-1] != documents[1:]) & (documents[1:] >= 0))
    crossing = _counts(draft)[0, ends]
    if "hugging-face" in draft.layouts:
        return bool(crossing.any())
    if draft.shape("inputs") != draft.shape("targets"):
        return False
    same = np.asarray(draft["targets"])[0, ends] == np.asarray(draft["inputs"])[0, ends + 1]
    return bool((same & crossing).sum() > 0.5 * max(1, len(ends)))


def _cut(draft: Draft, documents: Array, source: str) -> Draft:
    edges = np.flatnonzero(np.diff(documents)) + 1
    parts = [part for part in np.split(np.arange(len(documents)), edges) if documents[part[0]] >= 0]
    counts = _counts(draft)[0]
    while len(parts) > 1 and len(parts[-1]) == 1 and not counts[parts[-1]].any():
        parts.pop()  # padding at the end of the row, whose positions are all 0
    width = max(map(len, parts))
    cut = {name: _rows(draft[name][0], parts, width) for name in _CUT if draft.shape(name)[:2] == (1, len(documents))}
    if "ignore_id" in draft and "weights" not in draft:
        cut["targets"] = np.where(_beyond(parts, width), draft["ignore_id"], cut["targets"])
    elif "weights" not in draft:
        cut["lengths"] = np.array([len(part) for part in parts])
    read = draft.replacing(segment_ids=None, **cut)
    return read.assuming(f"{source} says where documents begin: each of the {len(parts)} is one sequence", "layout")


def _rows(row: Array, parts: list[Array], width: int) -> Array:
    """A row's parts, one below the other, filled up with 0."""
    rows = np.zeros((len(parts), width, *row.shape[1:]), row.dtype)
    for number, part in enumerate(parts):
        rows[number, : len(part)] = row[part[0] : part[-1] + 1]
    return rows


def _beyond(parts: list[Array], width: int) -> Array:
    return np.arange(width) >= np.array([len(part) for part in parts])[:, None]


LAYOUT = Layout(
    "packed", "Packed documents", __doc__ or "", "one row with cu_seqlens, position_ids or segment_ids", read
)
