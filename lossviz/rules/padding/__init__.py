"""Rules about padding and masks: what counts, and what should."""
