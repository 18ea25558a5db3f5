"""The batches that come with lossviz, and the scripts that make them; `lossviz.samples` says what each one shows."""
