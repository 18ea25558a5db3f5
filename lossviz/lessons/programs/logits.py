"""The programs of chapter 1."""

from lossviz.lessons._step import Program

__all__ = ["COUNTS", "FIRST_CHOICE", "ONE_CELL", "SHIFTED", "SOFTMAX_TWICE", "UNIFORM", "WHICH_OP"]

COUNTS = Program(
    """
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
loss = tf.size(logits), tf.size(losses)  #!
""",
    """
losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
loss = logits.numel(), losses.numel()  #!
""",
)
WHICH_OP = Program(
    """
# targets [3, 5] ids, logits [3, 5, 6]
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)  #!
loss = tf.reduce_sum(losses)
""",
    """
# targets [3, 5] ids, logits [3, 5, 6]
losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  #!
loss = losses.sum()
""",
)
UNIFORM = Program(
    """
classes = tf.cast(tf.shape(logits)[-1], tf.float32)
loss = tf.math.log(classes)  #!
""",
    """
classes = torch.tensor(float(logits.shape[-1]))
loss = torch.log(classes)  #!
""",
)
ONE_CELL = Program(
    """
z = logits[0, 0] - tf.reduce_max(logits[0, 0])  #!
loss = tf.math.log(tf.reduce_sum(tf.exp(z))) - z[targets[0, 0]]  #!
""",
    """
z = logits[0, 0] - logits[0, 0].max()  #!
loss = torch.log(torch.exp(z).sum()) - z[targets[0, 0]]  #!
""",
)
SHIFTED = Program(
    """
# logits are the old ones + 10
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)  #!
loss = losses[0, 0]
""",
    """
# logits are the old ones + 10
losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  #!
loss = losses[0, 0]
""",
)
SOFTMAX_TWICE = Program(
    """
outputs = logits  # already probabilities: the model ends in a softmax  #!
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)  #!
loss = losses[0, 0]
""",
    """
outputs = logits  # already probabilities: the model ends in a softmax  #!
losses = F.cross_entropy(outputs.transpose(1, 2), targets, reduction="none")  #!
loss = losses[0, 0]
""",
)
FIRST_CHOICE = Program(
    """
wrong = tf.not_equal(tf.argmax(logits, axis=-1, output_type=targets.dtype), targets)  #!
wrong &= tf.sequence_mask(lengths, tf.shape(targets)[1])
loss = tf.where(wrong)
""",
    """
wrong = logits.argmax(dim=-1) != targets  #!
wrong &= torch.arange(targets.shape[1]) < lengths[:, None]
loss = torch.nonzero(wrong)
""",
)
