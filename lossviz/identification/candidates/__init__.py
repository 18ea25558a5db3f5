"""What may have given a number: candidate losses, masks, reductions and units; conventions; one-off bugs."""
