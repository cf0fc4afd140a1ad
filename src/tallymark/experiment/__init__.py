"""Experiments: who meets which variant, and what the numbers say of it."""
