"""The public check of a number."""
