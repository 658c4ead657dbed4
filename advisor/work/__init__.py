"""Long work: what it is, the workers that do it, and their supervision."""
