"""Web traffic: views, visitors, sessions, sources."""

from tallymark.packs.web.metrics import PACK

__all__ = ["PACK"]
