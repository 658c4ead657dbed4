"""Measures of answers, with what their numbers can tell."""
