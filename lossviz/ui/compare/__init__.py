"""The page Compare: what changed from one batch to another."""
