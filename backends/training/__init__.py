"""Examples to an adapter."""
