"""Chats to text: one module an engine."""
