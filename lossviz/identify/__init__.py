"""A printed number → the conventions and bugs that reproduce it."""
