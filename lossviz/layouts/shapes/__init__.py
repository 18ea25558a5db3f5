"""Layouts that hold the right numbers with other axes; each gives [B, T, V] logits and [B, T] arrays."""
