"""The panels of the page Explore: the cell, its logits, the sequences."""
