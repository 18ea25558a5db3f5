"""Rules about numbers: NaN, infinity and precision."""
