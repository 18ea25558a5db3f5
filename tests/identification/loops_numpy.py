"""Evaluation steps as people write them in NumPy, and the conventions that no framework computes for one."""

import numpy as np

from tests.identification.loop_batches import loop
from tests.identification.loops_torch import EPSILON, divisible, long_enough


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def elementwise(given):
    return -np.take_along_axis(log_softmax(given.logits), given.targets[..., None], -1)[..., 0]


def smoothed(given, other):
    """KL or cross entropy against 1 − ε on the target and `other` elsewhere."""
    logp = log_softmax(given.logits.astype(np.float64))
    nll = -np.take_along_axis(logp, given.targets[..., None], -1)[..., 0]
    return (1 - EPSILON - other) * nll - other * logp.sum(-1)


@loop("C03")
def numpy_mean_of_mask(given):
    return elementwise(given)[given.mask].mean()


@loop("C04 PAD01")
def numpy_mean(given):
    return elementwise(given).mean()


@loop("C05 PAD02")
def numpy_mean_of_product(given):
    return (elementwise(given) * given.mask).mean()


@loop("C07 C07g RED05")
def numpy_list_of_sequence_losses(given):
    return np.mean([row[keep].mean() for row, keep in zip(elementwise(given), given.mask, strict=True)])


@loop("C06")
def numpy_sequence_sums(given):
    return np.mean([row[keep].sum() for row, keep in zip(elementwise(given), given.mask, strict=True)])


@loop("C08 RED06", needs=long_enough)
def numpy_sum_by_t_minus_1(given):
    return (elementwise(given) * given.mask).sum() / (given.targets.shape[1] - 1)


@loop("C13")
def numpy_mean_of_perplexities(given):
    return np.mean([np.exp(row[keep].mean()) for row, keep in zip(elementwise(given), given.mask, strict=True)])


@loop("C22")
def numpy_espnet(given):
    return elementwise(given)[given.mask].mean() * (given.mask.sum(1).mean() - 1)


@loop("C11s")
def numpy_fairseq_sentence_avg(given):
    return (elementwise(given) * given.mask).sum() / len(given.targets) / np.log(2)


@loop("C06")
def numpy_negative_log_likelihood_of_sequences(given):
    """The log-likelihood of each sequence, as a language model's evaluation adds it up."""
    return -np.where(given.mask, -elementwise(given), 0.0).sum(1).mean()


@loop("LS3 LS4", smoothing=EPSILON, needs=lambda given: given.logits.shape[-1] > 2)
def numpy_tensor2tensor_smoothing(given):
    each = EPSILON / (given.logits.shape[-1] - 1)
    low = (1 - EPSILON) * np.log(1 - EPSILON) + EPSILON * np.log(each + 1e-20)
    return (smoothed(given, each) + low)[given.mask].mean()


@loop("RED02", needs=divisible, accumulation_steps=2)
def numpy_sum_of_micro_batch_means(given):
    loss = elementwise(given)
    halves = np.split(np.arange(len(loss)), 2)
    return sum(loss[rows][given.mask[rows]].mean() for rows in halves)


@loop("PAD05 PAD08", needs=lambda given: (given.mask & (given.targets != given.eos_id)).any())
def numpy_pads_by_eos(given):
    return elementwise(given)[given.mask & (given.targets != given.eos_id)].mean()


@loop("RED13 C12")
def numpy_e_to_the_bits(given):
    return np.exp(elementwise(given)[given.mask].mean() / np.log(2))


@loop("NUM08")
def numpy_log_of_p_and_epsilon(given):
    p = np.exp(-elementwise(given)[given.mask])
    return -np.log(np.clip(p, 1e-7, None)).mean()
