"""The rows that questions and refreshes read, as SQL table expressions, and the parameters they bind."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

_INSTANT = "fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')"


def instant(name: str) -> str:
    """The parameter `name`, in epoch milliseconds, as an instant."""
    return _INSTANT.format(name=name)


def milliseconds(moment: datetime) -> int:
    """An instant in epoch milliseconds."""
    return int(moment.timestamp() * 1000)


def events_between(start: str = "start", end: str = "end", inserted_before: str = "") -> str:
    """Every event of the project in a span, each counted once; of those inserted before an instant where named."""
    seen = f" AND inserted_at < {instant(inserted_before)}" if inserted_before else ""
    return (
        "(SELECT * FROM events FINAL WHERE project = {project:UInt32} "
        f"AND occurred_at >= {instant(start)} AND occurred_at < {instant(end)}{seen})"
    )


def with_actors(events: str) -> str:
    """Those events, each with its actor's `ordinal` and `age`, as far as a refresh has met the actor.

    `ordinal` is 0 where none has, or without an actor. `age`: seconds since the actor's first event ever, null for that
    one itself, or where it is not known.
    """
    since = f"({_epoch('e.occurred_at')} - {_epoch('o.first')})"
    age = f"if(o.ordinal > 0 AND {since} > 0, {since} / 1000, NULL)"
    return (
        f"(SELECT e.*, o.ordinal AS ordinal, {age} AS age FROM {events} AS e ANY LEFT JOIN "
        "(SELECT actor, min(ordinal) AS ordinal, min(first_seen) AS first FROM actors "
        "WHERE project = {project:UInt32} GROUP BY actor) AS o USING (actor))"
    )


def with_experiments(events: str) -> str:
    """Those events, once for each experiment their actor was in: `experiment_variant` is `experiment/variant`."""
    return f"(SELECT *, arrayJoin(variants) AS experiment_variant FROM {events})"


def _epoch(moment: str) -> str:
    return f"toUnixTimestamp64Milli({moment})"


def published_runs() -> str:
    """The project's published days with their runs' ids."""
    return "SELECT day, run FROM runs FINAL WHERE project = {project:UInt32} ORDER BY day"


def span(project: int, start: datetime, end: datetime) -> Mapping[str, object]:
    """The parameters of `events_between`."""
    return {"project": project, "start": milliseconds(start), "end": milliseconds(end)}


def days(project: int, first: date, last: date) -> Mapping[str, object]:
    """The parameters of a window of published days."""
    return {"project": project, "first": first, "last": last}


def utc(moment: datetime) -> datetime:
    """An engine's answer, which may come without a zone, as an instant."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
