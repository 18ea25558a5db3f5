"""What to write instead, for each bug: the lines of padding-bugs.md."""

__all__ = ["FIXES"]

TF_MEAN = "tf.reduce_sum(loss * mask) / tf.reduce_sum(mask)"
PT_MEAN = "loss.sum() / mask.sum()"
LENGTHS = "mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)"
ONCE = (
    "loss = total_loss / total_weight  # sums of the whole accumulation window",
    "loss = loss_sum / num_items  # add up sums and counts, divide once",
)
SHIFT = (
    "inputs, targets = tokens[:, :-1], tokens[:, 1:]  # once",
    "loss = F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:])  # shift once",
)


def _both(tensorflow: str, pytorch: str) -> dict[str, str]:
    return {"TensorFlow": tensorflow, "PyTorch": pytorch}


FIXES: dict[str, dict[str, str]] = {
    "MOD01": _both(
        "tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)  # no softmax before it",
        "F.cross_entropy(logits, targets)  # no softmax before it",
    ),
    "MOD02": _both(
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        "F.cross_entropy(logits, targets)  # nll_loss expects log_softmax(logits)",
    ),
    "NUM01": _both(
        "logits = tf.where(mask[..., None] > 0, logits, 0.0)  # before the loss, then tf.where on the loss",
        "logits = torch.where(mask[..., None], logits, 0.0)  # before the loss, then torch.where on the loss",
    ),
    "NUM06": _both(
        "logits = tf.cast(logits, tf.float32)  # before the loss", "logits = logits.float()  # before the loss"
    ),
    "NUM08": _both(
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        "log_p = F.log_softmax(logits, -1)  # not log(softmax + eps)",
    ),
    "PAD01": _both(
        f"loss = {TF_MEAN}",
        "loss = F.cross_entropy(logits.transpose(1, 2), targets.masked_fill(~mask, -100))",
    ),
    "PAD02": _both(
        'keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")',
        f"loss = {PT_MEAN}",
    ),
    "PAD03": _both(
        "loss = tf.reduce_sum(tf.where(mask > 0, loss, 0.0)) / tf.reduce_sum(mask)",
        "loss = torch.where(mask, loss, 0.0).sum() / mask.sum()",
    ),
    "PAD04": _both(f"{LENGTHS}  # not from the ids", "mask = attention_mask.bool()  # not from the ids"),
    "PAD05": _both(
        f"{LENGTHS}  # not from the ids", "labels[attention_mask == 0] = -100  # or give the tokenizer a pad token"
    ),
    "PAD06": _both("mask = 1.0 - mask", "mask = ~mask.bool()  # key_padding_mask: True = ignore"),
    "PAD07": _both(
        'tokens = keras.utils.pad_sequences(tokens, padding="post")',
        "mask = attention_mask  # of the tokenizer that padded; or padding_side='right'",
    ),
    "PAD08": _both(
        "lengths = lengths_with_stop  # the stop token counts, padding does not",
        "lengths = lengths_with_stop  # the stop token counts, padding does not",
    ),
    "PAD11": _both("loss = tf.math.divide_no_nan(total, weight)", "loss = loss.sum() / max(n, 1)"),
    "PAD17": _both(
        "accuracy.update_state(targets, logits, sample_weight=mask)",
        "accuracy = ((logits.argmax(-1) == targets) & mask).sum() / mask.sum()",
    ),
    "RED01": _both(*ONCE),
    "RED02": _both(*ONCE),
    "RED03": _both(
        "total = strategy.reduce('SUM', total, None) / strategy.reduce('SUM', weight, None)",
        "dist.all_reduce(total); dist.all_reduce(n); loss = total / n * world_size  # DDP averages",
    ),
    "RED04": _both("n = tf.reduce_sum(mask[:, 1:])  # after the shift", "n = (labels[:, 1:] != -100).sum()"),
    "RED05": _both(f"loss = {TF_MEAN}  # per timestep", f"loss = {PT_MEAN}  # per timestep"),
    "RED06": _both(
        "loss = tf.reduce_sum(loss * mask) / tf.reduce_sum(mask)  # one division",
        "loss = (loss * mask).sum() / mask.sum()  # .sum(1), not .mean(1)",
    ),
    "RED07": _both(
        "tf.debugging.assert_shapes([(loss, ('B', 'T')), (mask, ('B', 'T'))])",
        "assert loss.shape == mask.shape  # squeeze(1) after gather",
    ),
    "RED08": _both(
        "tfa.seq2seq.SequenceLoss(average_across_timesteps=True, average_across_batch=True)  # divides by the weights",
        "loss = (loss * weights).sum() / weights.sum()",
    ),
    "RED09": _both(
        "loss = tf.reduce_sum(tf.gather(class_weights, targets) * mask * loss) / tf.reduce_sum(mask)",
        "loss = F.cross_entropy(logits, targets, weight=class_weights, reduction='sum') / n",
    ),
    "RED10": _both(
        "loss = tf.reduce_sum(smoothed * mask) / tf.reduce_sum(mask)",
        "loss = F.cross_entropy(logits, targets, ignore_index=-100, label_smoothing=epsilon)",
    ),
    "RED11": _both(
        "nll = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)  # print it beside the smoothed loss",
        "nll = F.cross_entropy(logits, targets)  # print it beside the smoothed loss",
    ),
    "RED12": _both(
        "total += batch_sum; weight += batch_weight  # loss = total / weight, perplexity = exp(loss)",
        "total += batch_sum; n += batch_n  # loss = total / n, perplexity = exp(loss)",
    ),
    "RED13": _both("perplexity = tf.exp(nats)  # or 2.0 ** bits", "perplexity = nats.exp()  # or 2.0 ** bits"),
    "RED15": _both(
        "loss_fn(targets, logits, sample_weight=weights)  # and no weights inside the loss",
        "loss = (loss * weights).sum() / weights.sum()  # weights once",
    ),
    "RED17": _both(*ONCE),
    "SHF01": _both(*SHIFT),
    "SHF02": _both(
        SHIFT[0], "outputs = model(input_ids, labels=input_ids)  # the model shifts inside; don't shift too"
    ),
    "SHF05": _both("mask = (tokens != pad_id)[:, 1:]", "labels = tokens.masked_fill(~mask, -100)[:, 1:]"),
    "SHF08": _both(
        "logits = tf.transpose(logits, [1, 0, 2])  # before the reshape",
        "logits = logits.transpose(0, 1)  # before .reshape(-1, V)",
    ),
    "SHF10": _both(
        "logits = tf.gather(logits, tf.argsort(order))  # back into the batch's order",
        "pack_padded_sequence(…, enforce_sorted=False)  # or out[order.argsort()]",
    ),
}
"""By the bug's code, then by library."""
