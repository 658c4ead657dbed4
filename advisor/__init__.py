"""Retrieve, fine-tune, both, or neither: decide with evidence, then do the work."""
