"""A model's name to verified files on disk."""
