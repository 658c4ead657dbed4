"""Documents to text, and text to passages."""
