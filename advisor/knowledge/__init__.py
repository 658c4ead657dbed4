"""What is known: facts, notation, rules, published cases, use-case files."""
