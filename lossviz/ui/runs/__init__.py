"""The page Runs: which step, which sequence, which token to look at."""
