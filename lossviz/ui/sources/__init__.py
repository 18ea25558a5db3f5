"""Where a batch comes from: a sample, a file, typed sequences, the shipped models."""
