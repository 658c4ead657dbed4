"""What is learned from cases, and how good the decision is."""
