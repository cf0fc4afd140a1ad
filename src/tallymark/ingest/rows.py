"""Accepted events as columns, and those as an Arrow table for the engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

import msgspec
import pyarrow as pa

_TEXT = pa.string()
_INSTANT = pa.timestamp("ms", "UTC")

SCHEMA = pa.schema(
    [
        ("project", pa.uint32()),
        ("event", _TEXT),
        ("occurred_at", _INSTANT),
        ("received_at", _INSTANT),
        ("event_id", pa.uint64()),
        ("actor", pa.uint64()),
        ("session", pa.uint64()),
        ("value", pa.float64()),
        ("bot", _TEXT),
        ("host", _TEXT),
        ("path", _TEXT),
        ("referrer_host", _TEXT),
        ("source", _TEXT),
        ("channel", _TEXT),
        ("medium", _TEXT),
        ("campaign", _TEXT),
        ("term", _TEXT),
        ("content", _TEXT),
        ("country", _TEXT),
        ("device", _TEXT),
        ("browser", _TEXT),
        ("os", _TEXT),
        ("origin", pa.uint64()),
        ("variants", pa.list_(_TEXT)),
        ("props", _TEXT),
        ("expires_at", pa.uint32()),
        ("precedence", pa.uint64()),
    ]
)


#: In the metadata of an Arrow table: the places of events whose time may have to be the one they first came with.
UNPINNED = b"unpinned"


@dataclass
class Rows:
    """Columns of equal length, one list each, named as in the table.

    Times are epoch milliseconds, `expires_at` epoch seconds. Of rows with one identity the one with the highest
    `precedence` counts: the first to arrive. `variants` are those that the actor had met, each `experiment/variant`.
    `unpinned` are the places of events whose sender fixed their identity but not their time.
    """

    project: list[int] = field(default_factory=list)
    event: list[str] = field(default_factory=list)
    occurred_at: list[int] = field(default_factory=list)
    received_at: list[int] = field(default_factory=list)
    event_id: list[int] = field(default_factory=list)
    actor: list[int] = field(default_factory=list)
    session: list[int] = field(default_factory=list)
    value: list[float | None] = field(default_factory=list)
    bot: list[str] = field(default_factory=list)
    host: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    referrer_host: list[str] = field(default_factory=list)
    source: list[str] = field(default_factory=list)
    channel: list[str] = field(default_factory=list)
    medium: list[str] = field(default_factory=list)
    campaign: list[str] = field(default_factory=list)
    term: list[str] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    country: list[str] = field(default_factory=list)
    device: list[str] = field(default_factory=list)
    browser: list[str] = field(default_factory=list)
    os: list[str] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    variants: list[Sequence[str]] = field(default_factory=list)
    props: list[bytes] = field(default_factory=list)
    expires_at: list[int] = field(default_factory=list)
    precedence: list[int] = field(default_factory=list)
    unpinned: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.event)

    @classmethod
    def joined(cls, parts: Iterable["Rows"]) -> "Rows":
        """All parts as one, in order."""
        whole = cls()
        for part in parts:
            whole.unpinned.extend(place + len(whole) for place in part.unpinned)
            for name in _COLUMNS:
                getattr(whole, name).extend(getattr(part, name))
        return whole

    def table(self) -> pa.Table:
        """An Arrow table for `events`; its metadata tell what is unpinned."""
        table = pa.table([pa.array(getattr(self, f.name), f.type) for f in SCHEMA], schema=SCHEMA)
        if not self.unpinned:
            return table
        return table.replace_schema_metadata({UNPINNED: msgspec.json.encode(self.unpinned)})


_COLUMNS = [f.name for f in fields(Rows) if f.name != "unpinned"]
