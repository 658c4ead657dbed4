"""A question to an answer: one module an approach."""
