"""Approaches carried out: prompting, retrieval, fine-tuning and both."""
