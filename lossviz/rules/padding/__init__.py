"""Rules about padding and masks: which timesteps count, and which should."""
