"""The programs of chapter 3."""

from lossviz.lessons._step import Program

__all__ = [
    "EXTENDED",
    "GATHER",
    "LANGUAGE_MODEL",
    "PER_SEQUENCE",
    "SHIFT",
    "SIGMOID",
    "TWICE",
    "UNTRAINED",
]

LANGUAGE_MODEL = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
loss = tf.reduce_sum(losses * mask)  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
loss = (losses * mask).sum()  #!
""",
)
TWICE = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
overall = tf.reduce_sum(losses * mask)  #!
loss = overall, overall / tf.reduce_sum(mask)  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
overall = (losses * mask).sum()  #!
loss = overall, overall / mask.sum()  #!
""",
)
SHIFT = Program(
    """
answer, start, stop = tf.constant([[7, 8]]), tf.constant([[10]]), tf.constant([[11]])
reads = tf.concat([start, answer], axis=1)  #!
says = tf.concat([answer, stop], axis=1)  #!
loss = reads, says, says.shape[1]
""",
    """
answer, start, stop = torch.tensor([[7, 8]]), torch.tensor([[10]]), torch.tensor([[11]])
reads = torch.cat([start, answer], dim=1)  #!
says = torch.cat([answer, stop], dim=1)  #!
loss = reads, says, says.shape[1]
""",
)
EXTENDED = Program(
    """
vocab_size = 113
layer = tf.keras.layers.Dense(vocab_size + 2)  # start and stop  #!
loss = layer(tf.zeros([1, 1, 4])).shape[-1]
""",
    """
vocab_size = 113
layer = torch.nn.Linear(4, vocab_size + 2)  # start and stop  #!
loss = layer(torch.zeros(1, 1, 4)).shape[-1]
""",
)
PER_SEQUENCE = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
batch_size = tf.cast(tf.shape(targets)[0], tf.float32)
loss = tf.reduce_sum(losses * mask) / batch_size  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
batch_size = targets.shape[0]
loss = (losses * mask).sum() / batch_size  #!
""",
)
UNTRAINED = Program(
    """
classes = tf.cast(tf.shape(logits)[-1], tf.float32)
per_sequence = tf.reduce_mean(tf.cast(lengths, tf.float32))  # 9.5 timesteps
loss = per_sequence * tf.math.log(classes)  #!
""",
    """
classes = torch.tensor(float(logits.shape[-1]))
per_sequence = lengths.float().mean()  # 9.5 timesteps
loss = per_sequence * torch.log(classes)  #!
""",
)
SIGMOID = Program(
    """
labels = tf.cast(targets[:, 0], tf.float32)
loss = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits[:, 0, 0])[0]  #!
""",
    """
labels = targets[:, 0].float()
loss = F.binary_cross_entropy_with_logits(logits[:, 0, 0], labels, reduction="none")[0]  #!
""",
)
GATHER = Program(
    """
rows = tf.range(tf.shape(lengths)[0], dtype=lengths.dtype)
read = tf.gather_nd(logits[:, :, 0], tf.stack([rows, lengths - 1], axis=1))  #!
labels = tf.cast(targets[:, 0], tf.float32)
loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, read))
""",
    """
rows = torch.arange(len(lengths))
read = logits[rows, lengths - 1, 0]  #!
labels = targets[:, 0].float()
loss = F.binary_cross_entropy_with_logits(read, labels, reduction="sum")
""",
)
