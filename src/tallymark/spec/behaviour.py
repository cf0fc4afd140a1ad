"""Questions about what actors do one after another: funnels, retention, lifecycle, stickiness, journeys."""

from dataclasses import dataclass
from enum import StrEnum

from tallymark.spec.condition import Condition
from tallymark.spec.funnel import Funnel
from tallymark.spec.query import EVERYTHING, Filter
from tallymark.spec.window import Window


@dataclass(frozen=True)
class FunnelQuery:
    """Who enters in the window, and how far they come. `filter` and `by` look at the event they enter with.

    `experiment`: by variant of that experiment instead of `by`.
    """

    funnel: Funnel
    window: Window
    filter: Filter = EVERYTHING
    by: str | None = None
    experiment: str | None = None
    limit: int = 20


@dataclass(frozen=True)
class RetentionQuery:
    """Cohorts of the window's periods, and who of them is active in each of the `periods` after.

    The window's grain is the period, and its ends are ends of periods. `cohort`: the event that an actor begins with
    in the window, None for the first one ever. `returning`: the event that counts as activity, None for any.
    """

    window: Window
    periods: int
    cohort: Condition | None = None
    returning: Condition | None = None
    filter: Filter = EVERYTHING
    by: str | None = None
    limit: int = 10
    exact: bool = False


@dataclass(frozen=True)
class ActivityQuery:
    """Who is active in each period of the window, whose grain is the period. `event`: None for any event."""

    window: Window
    event: Condition | None = None
    filter: Filter = EVERYTHING
    exact: bool = False


class Node(StrEnum):
    """What a journey's stations are: events by name, or the paths of views."""

    EVENT = "event"
    PATH = "path"


@dataclass(frozen=True)
class JourneyQuery:
    """The ways through sessions: from `start` on, or up to `end`, or from each session's beginning."""

    window: Window
    node: Node = Node.EVENT
    start: str | None = None
    end: str | None = None
    depth: int = 5
    filter: Filter = EVERYTHING
    limit: int = 20
