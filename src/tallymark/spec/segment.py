"""Segments: filters that a project keeps under a key."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """Filters as `filter=` takes them, all of which must hold."""

    key: str
    title: str
    filters: tuple[str, ...]
