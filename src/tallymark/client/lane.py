"""Where payloads go: one row for each endpoint that takes them. A pack that is added is a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Lane:
    """An endpoint, and how payloads become the body of a request to it.

    `project` is the parameter of the query that names one. `identities` and `times` are the names under which a
    payload may say who it is and when it happened; the first of each is the one that is added where it doesn't.
    `alone`: a request carries one payload, as it is, in place of an array.
    """

    path: str
    project: str
    identities: Sequence[str]
    times: Sequence[str]
    alone: bool = False

    def body(self, payloads: Sequence[bytes]) -> bytes:
        """The body that carries these payloads."""
        return payloads[0] if self.alone else b"[" + b",".join(payloads) + b"]"


_IDENTITIES: Final = ("eventId", "event_id", "id")
_TIMES: Final = ("occurredAt", "occurred_at", "timestamp")

LANES: Final[Mapping[str, Lane]] = {
    "events": Lane("/v1/events", "project", ("eventId",), ("timestamp",)),
    "web": Lane("/web/v1/events", "propertyId", _IDENTITIES, _TIMES),
    "sdk": Lane("/sdk/api/v1/events", "project", ("idempotencyKey",), ("timestamp",), alone=True),
    "ab": Lane("/ab/v1/events", "project", _IDENTITIES, _TIMES),
    # a query has one event and one outcome, which its id stands for
    "voice": Lane(
        "/voice/ingest", "project", ("eventId", "event_id", "queryId", "query_id"),
        ("timestamp", "occurredAt", "occurred_at"),
    ),
    # an attempt begins and ends once, and answers are known by all that they say, their time included
    "quiz": Lane(
        "/quiz/events", "project", ("eventId", "event_id", "attemptId", "attempt_id"),
        ("timestamp", "occurredAt", "occurred_at"),
    ),
}  # fmt: skip
