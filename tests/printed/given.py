"""What a loop held when it printed a number, per timestep: float64 NumPy, and nothing of lossviz."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

LN2 = float(np.log(2.0))


def log_softmax(logits):
    """x − ln Σ exp x over the last axis."""
    top = logits.max(axis=-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))


def at(values, targets):
    """values[b, t, targets[b, t]]; NaN where the target is no class, so that nothing but the mask can hide it."""
    classes = values.shape[-1]
    legal = (targets >= 0) & (targets < classes)
    taken = np.take_along_axis(values, np.where(legal, targets, 0)[..., None], axis=-1)[..., 0]
    return np.where(legal, taken, np.nan)


def cross_entropy(logits, targets):
    """−ln softmax(logits)[targets], [B, T]."""
    return -at(log_softmax(logits), targets)


def total(values, weights):
    """Σ values · weights over the timesteps whose weight is not 0."""
    return float(np.where(weights != 0, values * weights, 0.0).sum())


def ratio(numerator, divisor):
    """numerator / divisor as PyTorch does it: 0/0 is NaN."""
    if divisor == 0:
        return float("nan") if numerator == 0 else float(np.copysign(np.inf, numerator))
    return numerator / divisor


def no_nan(numerator, divisor):
    """numerator / divisor as `tf.math.divide_no_nan` does it: 0 where the divisor is 0."""
    return numerator / divisor if divisor != 0 else 0.0


def parts(size, pieces):
    """0 … size − 1 in so many contiguous pieces, the first ones one longer: 5 in 2 is (0, 1, 2), (3, 4)."""
    return tuple(tuple(int(i) for i in piece) for piece in np.array_split(np.arange(size), pieces))


@dataclass(frozen=True, eq=False)
class Given:
    """The arrays and the options; W is `weights`, else the mask of `lengths`, else 1 everywhere."""

    logits: np.ndarray  # [B, T, V]
    targets: np.ndarray  # [B, T]
    lengths: np.ndarray | None = None  # [B]
    weights: np.ndarray | None = None  # [B, T]
    pad_id: int | None = 0
    eos_id: int | None = 1
    inputs: np.ndarray | None = None  # [B, T]
    smoothing: float = 0.0  # e
    accumulation_steps: int = 1  # k: micro-batches, contiguous rows unless `groups` says which
    groups: tuple[tuple[int, ...], ...] | None = None
    world_size: int = 1  # c: ranks (contiguous rows) or context-parallel chunks (contiguous timesteps)
    class_weights: np.ndarray | None = None  # [V]
    bytes_per_token: np.ndarray | None = None  # [V]
    max_length: int | None = None  # L_max, a constant of the trainer
    z: float = 0.0
    permutation: tuple[int, ...] | None = None  # SHF10: the logits' rows as the loop had them
    accuracy: float | None = None  # printed beside the loss, if it was

    @property
    def B(self):
        return self.targets.shape[0]

    @property
    def T(self):
        return self.targets.shape[1]

    @property
    def V(self):
        return self.logits.shape[2]

    @property
    def BT(self):
        return self.B * self.T

    @cached_property
    def W(self):
        if self.weights is not None:
            return np.asarray(self.weights, dtype=np.float64)
        return np.ones((self.B, self.T)) if self.lengths is None else self.prefix(self.lengths)

    @cached_property
    def ends(self):
        """The lengths, or where the last weight that is not 0 stands, + 1."""
        if self.lengths is not None:
            return np.asarray(self.lengths)
        return np.array([max((t + 1 for t in range(self.T) if row[t] != 0), default=0) for row in self.W])

    def prefix(self, lengths):
        """1 where t < lengths[b], else 0."""
        return (np.arange(self.T) < np.asarray(lengths)[:, None]).astype(np.float64)

    @cached_property
    def log_p(self):
        return log_softmax(np.asarray(self.logits, dtype=np.float64))

    @cached_property
    def CE(self):
        return -at(self.log_p, self.targets)

    @cached_property
    def log_normalizer(self):
        """ln Σ_v exp(logits), [B, T]."""
        logits = np.asarray(self.logits, dtype=np.float64)
        return logits[..., 0] - self.log_p[..., 0]

    @property
    def S(self):
        return total(self.CE, self.W)

    @property
    def S_all(self):
        return float(self.CE.sum())

    @property
    def N(self):
        return float(self.W.sum())

    @property
    def nonzero(self):
        return float((self.W != 0).sum())

    @property
    def mean(self):
        """The token mean S/N."""
        return ratio(self.S, self.N)

    def sums(self, pieces, axis=0):
        """(S_g, N_g) of each piece, which is a tuple of rows (axis 0) or of timesteps (axis 1)."""
        taken = [(self.CE.take(piece, axis), self.W.take(piece, axis)) for piece in pieces]
        return [(total(ce, w), float(w.sum())) for ce, w in taken]

    def means(self, pieces, axis=0, divide=ratio):
        """S_g / N_g of each piece."""
        return [divide(s, n) for s, n in self.sums(pieces, axis)]

    @property
    def rows(self):
        return parts(self.B, self.B)

    @property
    def columns(self):
        return parts(self.T, self.T)

    @property
    def micro_batches(self):
        return self.groups or parts(self.B, self.accumulation_steps)

    @property
    def strided(self):
        """Rows 0, k, 2k … are the first micro-batch."""
        k = len(self.micro_batches)
        return tuple(tuple(range(g, self.B, k)) for g in range(k))

    @property
    def ranks(self):
        return parts(self.B, self.world_size)

    @property
    def chunks(self):
        return parts(self.T, self.world_size)

    # Smoothing. q is the soft target; LS = −Σ_v q ln p.
    @cached_property
    def mean_v(self):
        """mean_v(−ln p), [B, T]."""
        return -self.log_p.mean(axis=-1)

    @cached_property
    def LS_V(self):
        """q = (1−e) onehot + e/V."""
        return (1 - self.smoothing) * self.CE + self.smoothing * self.mean_v

    @cached_property
    def LS_V1(self):
        """q = 1−e at the target, e/(V−1) elsewhere: (1−e−i) CE + i Σ_v(−ln p), i = e/(V−1)."""
        i = self.smoothing / (self.V - 1)
        return (1 - self.smoothing - i) * self.CE - i * self.log_p.sum(axis=-1)

    @property
    def H(self):
        """The entropy of LS_V1's q: what the loss is at its best. 1e-20 keeps e = 0 finite, as in T2T."""
        e = self.smoothing
        return -((1 - e) * np.log(1 - e) + e * np.log(e / (self.V - 1) + 1e-20))

    @cached_property
    def KL_V2(self):
        """KL(q‖p), q = 1−e at the target, e/(V−2) elsewhere, then 0 in the pad column (JoeyNMT), [B, T].

        A target that is the pad id keeps its row of e/(V−2), as the golden value 9.2278 demands; JoeyNMT itself
        also drops such a row (it masks by id), which gives 9.4225 there.
        """
        return self._without_pad(lambda q, log_p: sum(q[v] * (np.log(q[v]) - log_p[v]) for v in np.flatnonzero(q)))

    @cached_property
    def CE_V2(self):
        """The cross entropy with the same q, [B, T]."""
        return self._without_pad(lambda q, log_p: -sum(q[v] * log_p[v] for v in np.flatnonzero(q)))

    def _without_pad(self, of):
        kl = np.zeros((self.B, self.T))
        for b, t in np.ndindex(self.B, self.T):
            if not 0 <= self.targets[b, t] < self.V:
                kl[b, t] = np.nan
                continue
            q = np.full(self.V, self.smoothing / (self.V - 2))
            q[self.targets[b, t]] = 1 - self.smoothing
            q[0 if self.pad_id is None else self.pad_id] = 0
            kl[b, t] = of(q, self.log_p[b, t])
        return kl
