"""The programs of chapter 5."""

from lossviz.lessons._step import Program

__all__ = ["COPIED", "MICRO_BATCHES", "NAN", "PERPLEXITY", "SHORTER", "UPSIDE_DOWN", "WHERE", "WIDER"]

NAN = Program(
    """
loss = tf.reduce_sum(losses * weights)  #!
right = tf.reduce_sum(tf.where(weights != 0, losses, 0.0))
""",
    """
loss = (losses * weights).sum()  #!
right = torch.where(weights != 0, losses, 0.0).sum()
""",
)
WHERE = Program(
    """
with tf.GradientTape() as tape:
    tape.watch(logits)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    total = tf.reduce_sum(tf.where(weights != 0, losses, 0.0))  #!
loss = tape.gradient(total, logits)[0, 2, 0]
# first: logits = tf.where((weights != 0)[..., None], logits, 0.0)
""",
    """
logits.requires_grad_()
losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
torch.where(weights != 0, losses, 0.0).sum().backward()  #!
loss = logits.grad[0, 2, 0]
# first: logits = torch.where((weights != 0)[..., None], logits, 0.0)
""",
)
SHORTER = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)  # lengths - 1  #!
loss = tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()  # lengths - 1  #!
loss = (losses * mask).sum() / mask.sum()
""",
)
WIDER = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
loss = tf.reduce_mean(losses * mask)  # over 10 columns  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
loss = (losses * mask).mean()  # over 10 columns  #!
""",
)
MICRO_BATCHES = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
sums, counts = tf.reduce_sum(losses * mask, axis=1), tf.reduce_sum(mask, axis=1)
first = (sums[0] + sums[1]) / (counts[0] + counts[1])
second = sums[2] / counts[2]
loss = (first + second) / 2, (1 / counts[2]) / (1 / (counts[0] + counts[1]))  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
sums, counts = (losses * mask).sum(dim=1), mask.sum(dim=1)
first = (sums[0] + sums[1]) / (counts[0] + counts[1])
second = sums[2] / counts[2]
loss = (first + second) / 2, (1 / counts[2]) / (1 / (counts[0] + counts[1]))  #!
""",
)
PERPLEXITY = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
loss = tf.exp(tf.reduce_sum(losses * mask) / tf.reduce_sum(mask))  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
loss = torch.exp((losses * mask).sum() / mask.sum())  #!
""",
)
UPSIDE_DOWN = Program(
    """
is_padding = 1 - tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
loss = tf.reduce_sum(losses * is_padding) / tf.reduce_sum(is_padding)  # upside down  #!
""",
    """
is_padding = 1 - (torch.arange(targets.shape[1]) < lengths[:, None]).float()
loss = (losses * is_padding).sum() / is_padding.sum()  # upside down  #!
""",
)
COPIED = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
loss = tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
# right: targets = tf.concat([inputs[:, 1:], stop], axis=1)  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
loss = (losses * mask).sum() / mask.sum()
# right: targets = torch.cat([inputs[:, 1:], stop], dim=1)  #!
""",
)
