"""Events in, exact and repeatable numbers out."""

__version__ = "0.1.0"
