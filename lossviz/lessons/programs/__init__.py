"""The code of each step in TensorFlow 2 and PyTorch, a file a chapter; `#!` marks the lines that it is about."""
