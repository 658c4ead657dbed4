"""The decision: pure functions of facts, rules and what was learned."""
