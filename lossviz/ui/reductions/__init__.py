"""The panels of the page Reductions: the conventions side by side, and micro-batches."""
