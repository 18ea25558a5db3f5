"""The programs of chapter 4: what each combination of the flags computes, written out."""

from lossviz.lessons._step import Program

__all__ = ["BOTH_AVERAGES", "BOTH_SUMS", "COLUMNS", "FOUR", "LEGAL", "NOTHING", "ROWS", "SAME"]

BOTH_AVERAGES = Program(
    """
loss = tf.reduce_sum(weights * losses) / tf.reduce_sum(weights)  #!
""",
    """
loss = (weights * losses).sum() / weights.sum()  #!
""",
)
BOTH_SUMS = Program(
    """
count = tf.math.count_nonzero(weights, dtype=tf.float32)
loss = tf.reduce_sum(weights * losses) / count  #!
""",
    """
count = torch.count_nonzero(weights)
loss = (weights * losses).sum() / count  #!
""",
)
ROWS = Program(
    """
each = tf.reduce_sum(weights * losses, axis=1) / tf.reduce_sum(weights, axis=1)  #!
loss = each[2], tuple(each.shape)
""",
    """
each = (weights * losses).sum(dim=1) / weights.sum(dim=1)  #!
loss = each[2], tuple(each.shape)
""",
)
COLUMNS = Program(
    """
each = tf.reduce_sum(weights * losses, axis=0) / tf.reduce_sum(weights, axis=0)  #!
loss = each[2], tuple(each.shape)
""",
    """
each = (weights * losses).sum(dim=0) / weights.sum(dim=0)  #!
loss = each[2], tuple(each.shape)
""",
)
NOTHING = Program(
    """
each = weights * losses  #!
loss = each[0, 2], tuple(each.shape)
""",
    """
each = weights * losses  #!
loss = each[0, 2], tuple(each.shape)
""",
)
LEGAL = Program(
    """
flags = [(at, ab, st, sb) for at in (0, 1) for ab in (0, 1) for st in (0, 1) for sb in (0, 1)]
legal = [not (at or ab) or not (st or sb) for at, ab, st, sb in flags]  #!
loss = tf.math.count_nonzero(legal)
""",
    """
flags = [(at, ab, st, sb) for at in (0, 1) for ab in (0, 1) for st in (0, 1) for sb in (0, 1)]
legal = [not (at or ab) or not (st or sb) for at, ab, st, sb in flags]  #!
loss = torch.tensor(legal).sum()
""",
)
SAME = Program(
    """
weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
total = tf.reduce_sum(weights * losses)
loss = total / tf.reduce_sum(weights), total / tf.math.count_nonzero(weights, dtype=tf.float32)  #!
""",
    """
weights = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
total = (weights * losses).sum()
loss = total / weights.sum(), total / torch.count_nonzero(weights)  #!
""",
)
FOUR = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
sums, counts = tf.reduce_sum(losses * mask, axis=1), tf.reduce_sum(mask, axis=1)
total = tf.reduce_sum(sums)
loss = total / tf.reduce_sum(counts), total / 15, total / 3, tf.reduce_mean(sums / counts)  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
sums, counts = (losses * mask).sum(dim=1), mask.sum(dim=1)
total = sums.sum()
loss = total / counts.sum(), total / 15, total / 3, (sums / counts).mean()  #!
""",
)
