"""The whole functions of the course, as they should be."""

from lossviz.lessons._step import Program

__all__ = ["CLASSIFIER", "ENCODER_DECODER", "LANGUAGE_MODEL"]

LANGUAGE_MODEL = Program(
    """
def calculate_loss(logits, binary_sequences, output_sequences):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(output_sequences, logits)  #!
    unpadded = losses * tf.cast(binary_sequences, tf.float32)  #!
    return tf.reduce_sum(unpadded)  #!

loss = calculate_loss(logits, tf.sequence_mask(lengths, tf.shape(targets)[1]), targets)
""",
    """
def calculate_loss(logits, binary_sequences, output_sequences):
    losses = F.cross_entropy(logits.transpose(1, 2), output_sequences, reduction="none")  #!
    unpadded = losses * binary_sequences.float()  #!
    return unpadded.sum()  #!

loss = calculate_loss(logits, torch.arange(targets.shape[1]) < lengths[:, None], targets)
""",
)
ENCODER_DECODER = Program(
    """
def calculate_loss(logits, dec_seq_lens, decoder_outputs, batch_size):
    binary_sequences = tf.sequence_mask(dec_seq_lens, tf.shape(logits)[1], tf.float32)  #!
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(decoder_outputs, logits)  #!
    return tf.reduce_sum(losses * binary_sequences) / batch_size  #!

loss = calculate_loss(logits, lengths, targets, float(targets.shape[0]))
""",
    """
def calculate_loss(logits, dec_seq_lens, decoder_outputs, batch_size):
    binary_sequences = (torch.arange(logits.shape[1]) < dec_seq_lens[:, None]).float()  #!
    losses = F.cross_entropy(logits.transpose(1, 2), decoder_outputs, reduction="none")  #!
    return (losses * binary_sequences).sum() / batch_size  #!

loss = calculate_loss(logits, lengths, targets, len(targets))
""",
)
CLASSIFIER = Program(
    """
def calculate_loss(outputs, sequence_lengths, labels):
    rows = tf.range(tf.shape(outputs)[0], dtype=sequence_lengths.dtype)
    read = tf.gather_nd(outputs, tf.stack([rows, sequence_lengths - 1], axis=1))  #!
    losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), read)  #!
    return tf.reduce_sum(losses)  #!

loss = calculate_loss(logits[:, :, 0], lengths, targets[:, 0])
""",
    """
def calculate_loss(outputs, sequence_lengths, labels):
    rows = torch.arange(len(outputs))
    read = outputs[rows, sequence_lengths - 1]  #!
    losses = F.binary_cross_entropy_with_logits(read, labels.float(), reduction="none")  #!
    return losses.sum()  #!

loss = calculate_loss(logits[:, :, 0], lengths, targets[:, 0])
""",
)
