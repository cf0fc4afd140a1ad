"""From questions to numbers."""
