"""Rules about reductions: what a printed number was divided by."""
