"""Retrieval and answers measured on real documentation: `python -m benchmarks.retrieval --help`."""
