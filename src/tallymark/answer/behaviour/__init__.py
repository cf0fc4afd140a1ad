"""Answers about what actors do one after another."""
