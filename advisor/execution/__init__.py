"""Approaches carried out: models loaded, passages indexed, questions answered."""
