"""The panels of the page Identify: the printed number, the answer, the matches."""
