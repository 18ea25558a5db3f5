"""Random batches on which printed numbers differ as far as they can: unequal lengths, and no two divisors the same."""

import numpy as np

from tests.printed.given import Given, log_softmax

PAD, EOS = 0, 1
ROWS = (2, 3, 4, 4, 4, 5, 6, 6, 6)  # 4 and 6 can be cut into micro-batches of several rows


def random_given(seed: int, *, fractional: bool = False, surprise: bool | None = None) -> Given:
    """A batch with every option set: B 2–6, T 3–9, V 4–12, right-padded, longest row T, EOS last in every row.

    Args:
        seed: the same seed gives the same batch.
        fractional: weights that are not 0 or 1 (and 0 at padding), beside the lengths.
        surprise: one target of probability e^−30, so that the caps of NUM08 show; None: in every fourth seed.
    """
    random = np.random.default_rng(seed)
    while True:
        rows, columns, classes = int(random.choice(ROWS)), int(random.integers(3, 10)), int(random.integers(4, 13))
        lengths = random.integers(1, columns + 1, size=rows)
        lengths[random.integers(rows)] = columns
        weights = _weights(random, lengths, columns) if fractional else None
        options = _options(random, rows, columns)
        if _tells(columns, lengths, weights, options):
            break
    targets = _targets(random, lengths, columns, classes)
    logits = _logits(random, targets, classes)
    if seed % 4 == 0 if surprise is None else surprise:
        _surprise(random, logits, targets, lengths)
    return Given(
        logits=logits,
        targets=targets,
        lengths=lengths,
        weights=weights,
        pad_id=PAD,
        eos_id=EOS,
        inputs=np.concatenate([np.full((rows, 1), EOS), targets[:, :-1]], axis=1),
        smoothing=float(random.choice([0.05, 0.1, 0.15, 0.2])),
        class_weights=np.round(random.uniform(0.5, 2.0, size=classes), 2),
        bytes_per_token=np.concatenate([[0, 0], random.integers(1, 7, size=classes - 2)]),
        z=float(random.choice([1e-4, 1e-3, 1e-2])),
        **options,
    )


def _options(random, rows, columns):
    """k micro-batches and c ranks that divide the rows, k < B where B isn't prime, c another number if there is one."""
    divisors = [d for d in range(2, rows + 1) if rows % d == 0]
    k = int(random.choice(divisors[:-1] or divisors))
    c = int(random.choice([d for d in divisors if d != k] or [k]))
    return {"accumulation_steps": k, "world_size": c, "max_length": columns + int(random.integers(1, 5))}


def _tells(columns, lengths, weights, options):
    """Whether the batch tells formulas apart: its rows aren't longest first, its divisors and pieces differ."""
    if options["world_size"] >= columns or (np.diff(lengths) <= 0).all():
        return False
    return _divisors_differ(columns, lengths, weights, options) and _pieces_differ(columns, lengths, options)


def _divisors_differ(columns, lengths, weights, options):
    """Whether no two of the formulas' divisors are the same number, so that no two means are."""
    rows, k, c = len(lengths), options["accumulation_steps"], options["world_size"]
    count, one_more = int(lengths.sum()), int(np.minimum(lengths + 1, columns).sum())
    n = count if weights is None else float(weights.sum())
    divisors = [1, n, rows * columns, rows, columns, columns - 1, n + rows, n - rows]
    divisors += [n * columns, n / k, n * k, one_more]
    divisors += [rows * options["max_length"], n / (count / rows - 1)] if count > rows else []
    divisors += [] if c == k else [n / c, n * c]
    divisors += [] if weights is None else [count]
    return n > rows and len(set(divisors)) == len(divisors)


def _pieces_differ(columns, lengths, options):
    """Whether each way of cutting the batch gives pieces of unequal token counts: else mean of means is the mean."""
    k, c = options["accumulation_steps"], options["world_size"]
    mask = np.arange(columns) < lengths[:, None]
    cuts = [np.array_split(mask, k), [mask[g::k] for g in range(k)], np.array_split(mask, c)]
    cuts.append(np.array_split(mask, c, axis=1))
    return all(len({int(piece.sum()) for piece in cut}) > 1 for cut in cuts)


def _targets(random, lengths, columns, classes):
    """Words 2 … V−1, the EOS last, pads after it; one word is the pad id, a trap for masks made from ids."""
    targets = random.integers(2, classes, size=(len(lengths), columns))
    inside = [(b, t) for b, n in enumerate(lengths) for t in range(n - 1)]
    targets[inside[random.integers(len(inside))]] = PAD
    for b, n in enumerate(lengths):
        targets[b, n - 1] = EOS
        targets[b, n:] = PAD
    return targets


def _logits(random, targets, classes):
    """A model that knows something: the target is lifted by about 2.5, and every timestep has its own offset."""
    logits = random.normal(scale=1.3, size=(*targets.shape, classes)) + random.normal(size=(*targets.shape, 1))
    rows, columns = np.indices(targets.shape)
    logits[rows, columns, targets] += random.normal(2.5, 1.5, size=targets.shape)
    return logits


def _surprise(random, logits, targets, lengths):
    b = int(random.integers(len(lengths)))
    t = int(random.integers(lengths[b]))
    logits[b, t, targets[b, t]] -= 30 + log_softmax(logits[b, t])[targets[b, t]]


def _weights(random, lengths, columns):
    weights = random.choice([0.25, 0.5, 1.0, 1.5, 2.0], size=(len(lengths), columns))
    weights[0, 0] = 0.75  # never all ones
    return np.where(np.arange(columns) < lengths[:, None], weights, 0.0)
