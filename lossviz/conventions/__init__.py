"""How libraries make a number of the losses: formula, numerator, divisor, who prints it."""
