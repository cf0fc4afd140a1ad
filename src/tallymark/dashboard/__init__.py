"""The dashboard: static files that a browser makes pages of, a client of the public API and nothing more."""
