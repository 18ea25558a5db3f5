"""Rules about shifts and alignment: whether logits and targets belong to the same timesteps and sequences."""
