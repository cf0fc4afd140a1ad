"""The columns of an archive: those of `events` as they are, but for the project and when they were inserted."""

from typing import Final

from tallymark.export.source import Column, Kind

_TEXTS: Final = (
    "bot", "host", "path", "referrer_host", "source", "channel", "medium", "campaign", "term", "content", "country",
    "device", "browser", "os",
)  # fmt: skip

#: Each with its SQL.
COLUMNS: Final = (
    (Column("event", Kind.TEXT), "event"),
    (Column("occurred_at", Kind.INSTANT), "occurred_at"),
    (Column("received_at", Kind.INSTANT), "received_at"),
    *((Column(name, Kind.BITS), name) for name in ("event_id", "actor", "session")),
    (Column("value", Kind.NUMBER), "value"),
    *((Column(name, Kind.TEXT), name) for name in _TEXTS),
    (Column("origin", Kind.BITS), "origin"),
    (Column("variants", Kind.TEXTS), "CAST(variants, 'Array(String)')"),
    (Column("props", Kind.JSON), "toJSONString(props)"),
    (Column("expires_at", Kind.INSTANT), "toDateTime64(expires_at, 3, 'UTC')"),
    (Column("precedence", Kind.BITS), "precedence"),
)

HEAD: Final = tuple(column for column, _ in COLUMNS)
