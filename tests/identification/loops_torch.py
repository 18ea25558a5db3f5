"""Evaluation steps as people write them in PyTorch, the right ones and those of spec/padding-bugs.md."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from tests.identification.loop_batches import loop

GROUPS = 2
EPSILON = 0.1


def tensors(given):
    """Logits, targets and mask."""
    return torch.tensor(given.logits), torch.tensor(given.targets), torch.tensor(given.mask)


def flat(given, ignored=-100):
    """Logits [B·T, V] and labels [B·T] in which what doesn't count is `ignored`."""
    z, y, m = tensors(given)
    return z.reshape(-1, z.shape[-1]), y.masked_fill(~m, ignored).reshape(-1)


def elementwise(given):
    """The loss of each timestep [B, T], and the mask."""
    z, y, m = tensors(given)
    return F.cross_entropy(z.transpose(1, 2), y, reduction="none"), m.float()


def divisible(given):
    return len(given.targets) % GROUPS == 0 and len(given.targets) > GROUPS


def long_enough(given):
    return given.targets.shape[1] > 3


@loop("C03")
def cross_entropy_ignore_index(given):
    z, y = flat(given)
    return nn.CrossEntropyLoss()(z, y).item()


@loop("C03")
def nll_loss_of_log_softmax(given):
    z, y = flat(given)
    return nn.NLLLoss(ignore_index=-100)(F.log_softmax(z, -1), y).item()


@loop("C03 MOD03")
def cross_entropy_of_log_probabilities(given):
    z, y = flat(given)
    return F.cross_entropy(F.log_softmax(z, -1), y).item()


@loop("C03")
def sum_of_losses_by_sum_of_mask(given):
    loss, m = elementwise(given)
    return ((loss * m).sum() / m.sum()).item()


@loop("C03", needs=lambda given: given.prompts is None)
def packed_sequence(given):
    z, y, _ = tensors(given)
    how = {"lengths": torch.tensor(given.lengths), "batch_first": True, "enforce_sorted": False}
    packed = [nn.utils.rnn.pack_padded_sequence(x, **how).data for x in (z, y)]
    return F.cross_entropy(*packed).item()


@loop("C01")
def cross_entropy_sum(given):
    z, y = flat(given)
    return F.cross_entropy(z, y, reduction="sum").item()


@loop("C02")
def cross_entropy_sum_of_everything(given):
    z, y, _ = tensors(given)
    return F.cross_entropy(z.flatten(0, 1), y.flatten(), reduction="sum").item()


@loop("C06")
def sum_by_batch_size(given):
    z, y = flat(given)
    return F.cross_entropy(z, y, reduction="sum").item() / len(given.targets)


@loop("C04 PAD01")
def cross_entropy_of_everything(given):
    z, y, _ = tensors(given)
    return F.cross_entropy(z.flatten(0, 1), y.flatten()).item()


@loop("C04 PAD01")
def permuted_for_cross_entropy(given):
    z, y, _ = tensors(given)
    return nn.CrossEntropyLoss()(z.permute(0, 2, 1), y).item()


@loop("C05 PAD02")
def reduction_none_then_mean(given):
    z, y = flat(given)
    return F.cross_entropy(z, y, reduction="none").mean().item()


@loop("C05 PAD02")
def masked_then_mean(given):
    loss, m = elementwise(given)
    return (loss * m).mean().item()


@loop("PAD03")
def sum_of_everything_by_sum_of_mask(given):
    loss, m = elementwise(given)
    return (loss.sum() / m.sum()).item()


@loop("C07 C07g RED05")
def mean_of_sequence_means(given):
    loss, m = elementwise(given)
    return ((loss * m).sum(1) / m.sum(1)).mean().item()


@loop("C08 RED06")
def sum_over_batch_mean_over_time(given):
    loss, m = elementwise(given)
    return (loss * m).sum(0).mean().item()


@loop("C09")
def mean_of_step_means(given):
    loss, m = elementwise(given)
    return ((loss * m).sum(0) / m.sum(0).clamp(min=1e-12)).mean().item()


@loop("C10")
def step_by_step_masked_nll(given):
    z, y, m = tensors(given)
    total = 0.0
    for t in range(y.shape[1]):
        if m[:, t].any():
            total += F.cross_entropy(z[:, t], y[:, t], reduction="none").masked_select(m[:, t]).mean()
    return float(total)


@loop("C05 PAD02")
def decoder_steps_then_divided_by_target_length(given):
    z, y = flat(given)
    z, y = z.view(*given.logits.shape), y.view(*given.targets.shape)
    loss = sum(F.cross_entropy(z[:, t], y[:, t], reduction="sum") for t in range(y.shape[1]))
    return loss.item() / y.shape[1] / len(y)


@loop("RED07")
def mask_of_one_more_axis(given):
    loss, m = elementwise(given)
    return (loss.reshape(-1) * m.reshape(-1, 1)).mean().item()


@loop("PAD04")
def ignore_pad_that_is_a_token(given):
    z, y, _ = tensors(given)
    return F.cross_entropy(z.flatten(0, 1), y.flatten(), ignore_index=0).item()


@loop("PAD05 PAD08", needs=long_enough)
def pad_is_eos_so_eos_is_ignored(given):
    z, y, m = tensors(given)
    return F.cross_entropy(z.flatten(0, 1), y.masked_fill(~m | (y == given.eos_id), -100).flatten()).item()


@loop("PAD06")
def key_padding_mask_as_loss_mask(given):
    loss, m = elementwise(given)
    padding = m == 0
    return ((loss * padding).sum() / padding.sum()).item()


@loop("PAD08", needs=long_enough)
def lengths_without_eos(given):
    loss, _ = elementwise(given)
    m = (torch.arange(loss.shape[1]) < torch.tensor(given.lengths)[:, None] - 1) & torch.tensor(given.mask)
    return loss[m].mean().item()


@loop("PAD08")
def lengths_and_one(given):
    loss, m = elementwise(given)
    m = (torch.arange(loss.shape[1]) == torch.tensor(given.lengths)[:, None]) | (m > 0)
    return loss[m].mean().item()


@loop("PAD07")
def mask_for_left_padding(given):
    loss, m = elementwise(given)
    return loss[m.flip(1).bool()].mean().item()


@loop("C11 RED13 C25")
def bits_per_token(given):
    z, y = flat(given)
    return F.cross_entropy(z, y).item() / math.log(2)


@loop("C12")
def perplexity(given):
    z, y = flat(given)
    return torch.exp(F.cross_entropy(z, y)).item()


@loop("RED13")
def two_to_the_nats(given):
    z, y = flat(given)
    return 2 ** F.cross_entropy(z, y).item()


@loop("PAD01 C12")
def perplexity_with_padding(given):
    z, y, _ = tensors(given)
    return math.exp(F.cross_entropy(z.flatten(0, 1), y.flatten()).item())


@loop("PAD02 C12")
def perplexity_of_masked_mean(given):
    loss, m = elementwise(given)
    return math.exp((loss * m).mean().item())


@loop("C13")
def mean_of_perplexities(given):
    loss, m = elementwise(given)
    return ((loss * m).sum(1) / m.sum(1)).exp().mean().item()


@loop("C24 RED09", class_weights="weights")
def class_weights(given):
    z, y = flat(given)
    return F.cross_entropy(z, y, weight=torch.tensor(weights_of(given))).item()


@loop("RED09", class_weights="weights")
def class_weights_by_number_of_tokens(given):
    z, y = flat(given)
    loss = F.cross_entropy(z, y, weight=torch.tensor(weights_of(given)), reduction="sum")
    return loss.item() / (y != -100).sum().item()


def weights_of(given):
    return [1.0 + (v % 3) / 2 for v in range(given.logits.shape[-1])]


@loop("LS1", smoothing=EPSILON)
def label_smoothing(given):
    z, y = flat(given)
    return nn.CrossEntropyLoss(label_smoothing=EPSILON)(z, y).item()


@loop("LS1")
def label_smoothing_not_said(given):
    z, y = flat(given)
    return nn.CrossEntropyLoss(label_smoothing=EPSILON)(z, y).item()


@loop("LS1 PAD01", smoothing=EPSILON)
def label_smoothing_of_everything(given):
    z, y, _ = tensors(given)
    return F.cross_entropy(z.flatten(0, 1), y.flatten(), label_smoothing=EPSILON).item()


@loop("LS1 PAD02", smoothing=EPSILON)
def label_smoothing_none_then_mean(given):
    z, y = flat(given)
    return F.cross_entropy(z, y, label_smoothing=EPSILON, reduction="none").mean().item()


@loop("RED10", smoothing=EPSILON)
def own_smoothing_that_sees_padding(given):
    z, y, m = tensors(given)
    logp = F.log_softmax(z, -1)
    nll = -logp.gather(2, y[..., None]).squeeze(2)
    smooth = -logp.mean(-1)
    return (((1 - EPSILON) * nll * m).sum() / m.sum() + EPSILON * smooth.sum() / m.sum()).item()


@loop("LS2", smoothing=EPSILON, needs=lambda given: given.logits.shape[-1] > 2)
def fairseq_label_smoothed(given):
    """In nats, as its criterion returns it, by tokens."""
    z, y, m = tensors(given)
    logp = F.log_softmax(z, -1)
    nll, smooth = -logp.gather(2, y[..., None]).squeeze(2), -logp.sum(-1)
    each = EPSILON / (z.shape[-1] - 1)
    return (((1.0 - EPSILON - each) * nll + each * smooth)[m].sum() / m.sum()).item()


@loop("MOD01")
def softmax_before_cross_entropy(given):
    z, y = flat(given)
    return nn.CrossEntropyLoss()(F.softmax(z, dim=-1), y).item()


@loop("MOD01 PAD01")
def softmax_before_cross_entropy_and_padding(given):
    z, y, _ = tensors(given)
    return nn.CrossEntropyLoss()(F.softmax(z, dim=-1).flatten(0, 1), y.flatten()).item()


@loop("MOD02")
def nll_loss_of_logits(given):
    z, y = flat(given)
    return nn.NLLLoss()(z, y).item()


@loop("MOD01")
def nll_loss_of_probabilities(given):
    z, y = flat(given)
    return nn.NLLLoss()(F.softmax(z, dim=-1), y).item()


@loop("SHF02", needs=long_enough)
def shifted_labels_to_a_model_that_shifts(given):
    z, y, m = tensors(given)
    labels = y.masked_fill(~m, -100)
    return F.cross_entropy(z[:, :-1].flatten(0, 1), labels[:, 1:].flatten()).item()


@loop("SHF01", needs=lambda given: given.inputs is not None)
def labels_not_shifted(given):
    z, _, m = tensors(given)
    labels = torch.tensor(given.inputs).masked_fill(~m, -100)
    return F.cross_entropy(z.flatten(0, 1), labels.flatten()).item()


@loop("SHF08", needs=lambda given: len(given.targets) > 1)
def time_major_logits_flattened(given):
    z, y = flat(given)
    return F.cross_entropy(z.view(given.logits.shape).transpose(0, 1).flatten(0, 1), y).item()


@loop("SHF10", needs=lambda given: (np.diff(given.lengths) > 0).any())
def sorted_and_not_unsorted(given):
    z, y = flat(given)
    order = torch.argsort(torch.tensor(given.lengths), descending=True, stable=True)
    return F.cross_entropy(z.view(given.logits.shape)[order].flatten(0, 1), y).item()


def micro_batches(given, groups):
    z, y = flat(given)
    return zip(z.view(given.logits.shape).chunk(groups), y.view(given.targets.shape).chunk(groups), strict=True)


@loop("RED01 C18", needs=divisible, accumulation_steps=GROUPS)
def accumulation_divided_by_steps(given):
    total = 0.0
    for z, y in micro_batches(given, GROUPS):
        total += (F.cross_entropy(z.flatten(0, 1), y.flatten()) / GROUPS).item()
    return total


@loop("RED01 C18", needs=divisible)
def accumulation_divided_by_steps_not_said(given):
    return accumulation_divided_by_steps.run(given)


@loop("RED02", needs=divisible, accumulation_steps=GROUPS)
def accumulation_not_divided(given):
    return sum(F.cross_entropy(z.flatten(0, 1), y.flatten()).item() for z, y in micro_batches(given, GROUPS))


@loop("RED02", needs=divisible)
def accumulation_times_steps_not_said(given):
    z, y = flat(given)
    return GROUPS * F.cross_entropy(z, y).item()


@loop("RED17 C19", needs=divisible, accumulation_steps=GROUPS)
def last_micro_batch_already_divided(given):
    for z, y in micro_batches(given, GROUPS):
        loss = F.cross_entropy(z.flatten(0, 1), y.flatten()) / GROUPS
    return loss.item()


@loop("RED01", needs=lambda given: len(given.targets) % 4 == 0, accumulation_steps=2, world_size=2)
def micro_batches_of_two_ranks(given):
    means = [F.cross_entropy(z.flatten(0, 1), y.flatten()) for z, y in micro_batches(given, 4)]
    return torch.stack(means).mean().item()


@loop("RED17 C19", needs=divisible, accumulation_steps=GROUPS)
def last_micro_batch(given):
    for z, y in micro_batches(given, GROUPS):
        loss = F.cross_entropy(z.flatten(0, 1), y.flatten()) / GROUPS
    return loss.item() * GROUPS


@loop("C03 C14n", needs=divisible, accumulation_steps=GROUPS)
def accumulation_by_items_in_batch(given):
    items = int(given.mask.sum())
    return sum(
        F.cross_entropy(z.flatten(0, 1), y.flatten(), reduction="sum").item() / items
        for z, y in micro_batches(given, GROUPS)
    )


@loop("C14 RED04")
def items_counted_before_the_shift(given):
    z, y = flat(given)
    items = (y != -100).sum().item() + given.mask[:, 0].sum()
    return F.cross_entropy(z, y, reduction="sum").item() / items


@loop("C15 RED16", needs=long_enough)
def items_without_eos(given):
    z, y = flat(given)
    items = (y != -100).sum().item() - len(given.targets)
    return F.cross_entropy(z, y, reduction="sum").item() / items


@loop("RED03 RED01", needs=divisible, world_size=GROUPS)
def ranks_averaged(given):
    means = [F.cross_entropy(z.flatten(0, 1), y.flatten()) for z, y in micro_batches(given, GROUPS)]
    return torch.stack(means).mean().item()


@loop("RED03 RED01", needs=divisible, world_size=GROUPS)
def ranks_of_a_distributed_sampler(given):
    """DistributedSampler deals the sequences out in turn."""
    z, y = flat(given)
    z, y = z.view(given.logits.shape), y.view(given.targets.shape)
    means = [F.cross_entropy(z[r::GROUPS].flatten(0, 1), y[r::GROUPS].flatten()) for r in range(GROUPS)]
    return torch.stack(means).mean().item()


@loop("RED03", needs=lambda given: long_enough(given) and given.mask[:, -(-given.mask.shape[1] // 2) :].any())
def context_parallel_chunks_averaged(given):
    z, y = flat(given)
    z, y = z.view(given.logits.shape), y.view(given.targets.shape)
    half = -(-y.shape[1] // 2)
    parts = [(z[:, :half], y[:, :half]), (z[:, half:], y[:, half:])]
    return sum(F.cross_entropy(a.flatten(0, 1), b.flatten()).item() for a, b in parts) / 2


@loop("C16 RED06")
def d2l_masked_softmax_by_tokens(given):
    loss, m = elementwise(given)
    return ((loss * m).mean(dim=1).sum() / m.sum()).item()


@loop("RED06 C05 PAD02")
def sequence_sums_by_t(given):
    loss, m = elementwise(given)
    return ((loss * m).sum(1) / loss.shape[1]).mean().item()


@loop("NUM06 C03", precision="bfloat16")
def autocast_bfloat16_logits(given):
    z, y = flat(given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return F.cross_entropy(z.bfloat16(), y).item()


@loop("NUM06 C03", precision="float16")
def float16_logits(given):
    z, y = flat(given)
    return F.cross_entropy(z.half().float(), y).item()


@loop("NUM08")
def log_of_clamped_softmax(given):
    z, y, m = tensors(given)
    p = F.softmax(z, -1).gather(2, y[..., None]).squeeze(2)
    return -torch.log(p.clamp(min=1e-10))[m].mean().item()
