"""Approaches carried out: prompting, retrieval, fine-tuning and both."""

import os

# Haystack reads it when it is imported, and would tell its makers of every pipeline that runs.
os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")
