"""Text that may be long: JSON as Python's values, lists of numbers and tables as arrays, a block at a time."""
