"""Boards: which of a pack's metrics and breakdowns people see first, in a dashboard or a report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A breakdown by a dimension: metrics by name, the first one orders and is the length of bars.

    `title` is what it is called among others; '' calls it as the dimension.
    """

    by: str
    metrics: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True)
class Panel:
    """A titled panel of views, of which one is seen at a time; a `wide` one takes the whole width."""

    title: str
    views: tuple[View, ...]
    wide: bool = False


@dataclass(frozen=True)
class Board:
    """What is seen of a pack first: a tile for each of these metrics, the first one's course, and panels."""

    tiles: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()

    @property
    def views(self) -> tuple[View, ...]:
        """The views of every panel."""
        return tuple(view for panel in self.panels for view in panel.views)
