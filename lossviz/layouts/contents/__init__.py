"""Layouts that hold other numbers than logits and class ids: probabilities, one-hot targets, a sigmoid's labels."""
