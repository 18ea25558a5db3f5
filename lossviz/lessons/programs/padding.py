"""The programs of chapter 2."""

from lossviz.lessons._step import Program

__all__ = ["BOOLEAN", "FORGOTTEN", "KEPT", "MADE", "MASK_OF_MASK", "REDUCE_MEAN", "SEQUENCE_MASK", "SIGN"]

KEPT = Program(
    """
mask = tf.cast(tf.sign(targets), tf.float32)  #!
loss = tf.reduce_sum(losses * mask)
""",
    """
mask = torch.sign(targets).float()  #!
loss = (losses * mask).sum()
""",
)
MADE = Program(
    """
mask = tf.cast(tf.sign(targets), tf.float32)
unpadded = losses * mask  # 0 at [0, 4] ...
loss = losses[0, 4]  # ... and this is what the model lost there  #!
""",
    """
mask = torch.sign(targets).float()
unpadded = losses * mask  # 0 at [0, 4] ...
loss = losses[0, 4]  # ... and this is what the model lost there  #!
""",
)
REDUCE_MEAN = Program(
    """
mask = tf.cast(tf.sign(targets), tf.float32)
loss = tf.reduce_mean(losses * mask)  #!
# over what counts: tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
""",
    """
mask = torch.sign(targets).float()
loss = (losses * mask).mean()  #!
# over what counts: (losses * mask).sum() / mask.sum()
""",
)
SEQUENCE_MASK = Program(
    """
mask = tf.sequence_mask(lengths)  # as wide as the largest length  #!
wide = tf.sequence_mask(lengths, tf.shape(targets)[1])  # as wide as the logits
loss = tuple(mask.shape)
""",
    """
mask = torch.arange(lengths.max()) < lengths[:, None]  # as wide as the largest length  #!
wide = torch.arange(targets.shape[1]) < lengths[:, None]  # as wide as the logits
loss = tuple(mask.shape)
""",
)
MASK_OF_MASK = Program(
    """
mask = tf.sign(targets)
loss = tuple(tf.sequence_mask(mask).shape)  #!
right = tf.sequence_mask(tf.reduce_sum(mask, axis=1), tf.shape(targets)[1])
""",
    """
mask = torch.sign(targets)
loss = tuple((torch.arange(mask.max()) < mask[..., None]).shape)  #!
right = torch.arange(targets.shape[1]) < mask.sum(dim=1, keepdim=True)
""",
)
BOOLEAN = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1])  # boolean
loss = tf.reduce_sum(tf.cast(losses * mask, tf.float32))  #!
""",
    """
mask = torch.arange(targets.shape[1]) < lengths[:, None]  # boolean
loss = (losses.int() * mask.int()).bool().sum()  # what TensorFlow does; losses * mask is fine  #!
""",
)
SIGN = Program(
    """
mask = tf.cast(tf.sign(targets), tf.float32)  #!
loss = tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
""",
    """
mask = torch.sign(targets).float()  #!
loss = (losses * mask).sum() / mask.sum()
""",
)
FORGOTTEN = Program(
    """
mask = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
right = tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
loss = tf.reduce_mean(losses)  # the mask is forgotten  #!
""",
    """
mask = (torch.arange(targets.shape[1]) < lengths[:, None]).float()
right = (losses * mask).sum() / mask.sum()
loss = losses.mean()  # the mask is forgotten  #!
""",
)
