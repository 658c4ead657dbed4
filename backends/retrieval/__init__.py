"""Passages embedded, kept and found."""
