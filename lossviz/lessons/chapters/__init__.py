"""The chapters, one file each."""
