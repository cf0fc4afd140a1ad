"""Judges of answers: rules without a model, Gemini, and servers that speak as OpenAI does."""
