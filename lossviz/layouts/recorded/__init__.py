"""Layouts of files that hold losses or log-probabilities and no logits: loops with a fused head, and servers."""
