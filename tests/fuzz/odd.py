"""Odd values and odd changes, all drawn from one generator, so that a seed and a number name a case for ever."""

import random
from typing import Any

# What a JSON tree, a header or a metadata text may hold instead of what it should.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 7, 255, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63) - 1,
    0.5, -0.0, 1e308, 1e-320, float("inf"), float("-inf"), float("nan"), "", " ", "nan", "1e999", "0e999", "1_0", "٣",
    "\0", "\x1b[31mred", "::error::x", "##vso[task]", "\ud800", "😀", "a\nb", "x" * 5_000, [], {}, [[]], [[[]]],
    [1, [2]], [[1, 2], [3]], [[[1.0]]], [None], ["a", 1], {"a": {"b": []}}, [[["a"]]], [[True]], [10**400],
)  # fmt: skip
NAMES = (
    "logits", "targets", "labels", "input_ids", "attention_mask", "lengths", "weights", "inputs", "segment_ids",
    "losses", "log_probs", "entropy", "rank", "top_classes", "top_probabilities", "vocabulary", "input_vocabulary",
    "pad_id", "eos_id", "ignore_id", "classes", "reported", "title", "dtypes", "cu_seqlens", "position_ids",
    "shift_labels", "loss", "probabilities", "predictions", "__metadata__", "", "\0", "\x1b]0;x\a", "../../x",
    "::set-output::", "😀", "x" * 3_000,
)  # fmt: skip
INTEGERS = (0, 1, 2, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = (
    "", " ", "a", "the", "<pad>", "<s>", "1", "-1", "0", "007", "1e5", "1e999", "0e999", "nan", "-inf", "９", "1,2",
    "1;2", "1\t2", "[", "]", "[[[", "]]]", "[1, 2]", "[[[1.0, 2.0]]]", "array([1.])", "tensor([[1.]], dtype=float16)",
    "...", "…", ",", ",,", "dtype=float16", "(", ")", "\0", "\r", "\u2028", "\u202e", "\ud800", "😀", "http://a.b",
    ":red[x]", "$x$", "x" * 3_000, "9" * 30, "9" * 5_000, "0:0", "0:3 1:2", "99999:0", "'", '"', "\\", "%s", "{}",
    "=cmd|' /C calc'!A0",
)  # fmt: skip


def value(rng: random.Random) -> Any:
    """An odd value, now and then a deep or a large one."""
    if rng.random() < 0.04:
        return nested(rng.choice((5, 64, 65, 200, 3_000)), rng.choice((1, "a", None)))
    if rng.random() < 0.02:
        return [rng.choice(VALUES[:25])] * rng.choice((1_000, 20_000))
    return rng.choice(VALUES)


def nested(levels: int, leaf: Any) -> Any:
    """A leaf inside of that many lists."""
    for _ in range(levels):
        leaf = [leaf]
    return leaf


def tree(rng: random.Random, node: Any, changes: int | None = None) -> Any:
    """A JSON tree with some of its nodes replaced, left out, doubled, wrapped, or under other names."""
    for _ in range(rng.choice((1, 1, 1, 2, 4)) if changes is None else changes):
        node = _changed(rng, node)
    return node


def _changed(rng: random.Random, node: Any, depth: int = 0) -> Any:
    if isinstance(node, dict) and node and rng.random() < 0.93 - 0.1 * depth:
        key = rng.choice(list(node))
        kind = rng.random()
        rest = {name: item for name, item in node.items() if name != key}
        if kind < 0.1:
            return rest
        if kind < 0.25:
            return rest | {rng.choice(NAMES): node[key]}
        if kind < 0.35:
            return node | {rng.choice(NAMES): value(rng)}
        return node | {key: _changed(rng, node[key], depth + 1)}
    if isinstance(node, list) and node and rng.random() < 0.8 - 0.1 * depth:
        place = rng.randrange(len(node))
        kind = rng.random()
        if kind < 0.1:
            return node[:place] + node[place + 1 :]
        if kind < 0.2:
            return [*node, node[place]]
        return [*node[:place], _changed(rng, node[place], depth + 1), *node[place + 1 :]]
    return rng.choice(([node], [[node]], [node, node])) if rng.random() < 0.15 else value(rng)


def data(rng: random.Random, content: bytes) -> bytes:
    """Bytes that were cut off, overwritten, doubled or shifted."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not out:
            break
        at = rng.randrange(len(out))
        if rng.random() < 0.4:  # where formats keep their directories
            at = rng.choice((at % 64, len(out) - 1 - at % min(len(out), 64)))
            at = min(at, len(out) - 1)
        kind = rng.randrange(6)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            size = rng.choice((1, 2, 4, 8))
            number = rng.choice(INTEGERS) % 2 ** (8 * size)
            out[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
        elif kind == 3:
            del out[at : at + rng.choice((1, 4, 40))]
        elif kind == 4:
            out[at:at] = out[at : at + rng.choice((1, 8, 100))]
        else:
            out[at : at + 8] = bytes(rng.randrange(256) for _ in range(8))
    return bytes(out)


def text(rng: random.Random, most: int = 12) -> str:
    """Words, lines and brackets in any order."""
    apart = rng.choice((" ", "\n", ",", "", "\t", " \n"))
    return apart.join(rng.choice(WORDS) for _ in range(rng.randrange(most)))
