"""What surrounds every page: its heading, the words, the link, projector mode."""
