"""Accepted events become rows: hashes for people, a page for an address, a source, a device, a country."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import TypeVar, cast

from tallymark.ingest import pii
from tallymark.ingest.country import CountryTable
from tallymark.ingest.decode import WireEvent
from tallymark.ingest.gate import Batch, kept
from tallymark.ingest.identity import Identities
from tallymark.ingest.page import NOWHERE, Page, host_of, page_of
from tallymark.ingest.pii_budget import Budget
from tallymark.ingest.rows import Rows
from tallymark.ingest.traffic_source import Channel, Source, classify
from tallymark.spec.window import midnight, today

_T = TypeVar("_T")

_HIGHEST = (1 << 64) - 1

#: What the engine forgets by itself it forgets this much later than the purge, which looks at all of a day first.
_GRACE_SECONDS = 2 * 86_400

_QUARTER_MS = 900_000
_ONE_DAY = timedelta(days=1)

#: Lower bits of a precedence tell events of one millisecond apart.
_SEQUENCE_BITS = 20


@dataclass
class Enricher:
    """Turns batches into rows. Knows the secret and the country table; keeps nothing it is given."""

    secret: bytes
    countries: CountryTable

    def __post_init__(self) -> None:
        self._arrived = 0
        self._identities: Callable[[int], Identities] = lru_cache(maxsize=1024)(
            lambda project: Identities(self.secret, project)
        )

    def actor(self, project: int, text: str) -> int:
        """What stands in events for whoever a sender gives as this."""
        return self._identities(project).actor(text)

    def event(self, project: int, text: str) -> int:
        """What stands in events for the `eventId` that a sender gives."""
        return self._identities(project).event(text)

    def _precedence(self, now_ms: int, n: int) -> list[int]:
        """Falling numbers: of events that arrive in one millisecond, too, the first has the highest."""
        first = _HIGHEST - (now_ms << _SEQUENCE_BITS) - (self._arrived & ((1 << _SEQUENCE_BITS) - 1))
        self._arrived += n
        return list(range(first, first - n, -1))

    def rows(self, batch: Batch, ip: str, origin: int = 0) -> Rows:
        """The rows of a batch's kept events; `ip` is the client's, and is not stored. `origin` stands for it today."""
        places = kept(batch)
        events = _at(places, batch.events)
        n, project = len(events), batch.project
        identities = self._identities(project.id)
        named = identities.event
        country = self.countries.country(ip) if ip else ""
        agents = _at(places, batch.agents)
        pages = [page_of(e.url) if e.url else NOWHERE for e in events]
        referrers = [host_of(e.referrer) if e.referrer else "" for e in events]
        sources = [_source(e, r, p) for e, r, p in zip(events, referrers, pages, strict=True)]
        clean = partial(pii.cleaned, budget=Budget()) if batch.suspicious else _as_they_are
        unpinned = batch.unpinned
        return Rows(
            project=[project.id] * n,
            event=[e.event for e in events],
            occurred_at=_at(places, batch.at),
            received_at=[batch.now_ms] * n,
            event_id=[_derived_id(e, identities) if e.event_id is None else named(e.event_id) for e in events],
            actor=[_actor(e, identities) for e in events],
            session=[identities.session(e.session_id) if e.session_id else 0 for e in events],
            value=[e.value for e in events],
            bot=[a.bot for a in agents],
            host=clean([p.host for p in pages], "host"),
            path=clean([p.path for p in pages]),
            referrer_host=clean(["" if r == p.host else r for r, p in zip(referrers, pages, strict=True)], "host"),
            source=clean(["" if s is None else s.name or f"({s.channel})" for s in sources]),
            channel=["" if s is None else s.channel for s in sources],
            medium=clean([p.medium for p in pages]),
            campaign=clean([p.campaign for p in pages]),
            term=clean([p.term for p in pages]),
            content=clean([p.content for p in pages]),
            country=[country if e.ip is None else self.countries.country(e.ip) for e in events],
            device=[a.device for a in agents],
            browser=[a.browser for a in agents],
            os=[a.os for a in agents],
            origin=[0 if e.ip else origin for e in events] if origin else [0] * n,
            variants=[()] * n,
            props=_at(places, batch.props),
            expires_at=_expiries(batch, places),
            precedence=self._precedence(batch.now_ms, n),
            unpinned=[k for k, i in enumerate(places) if unpinned[i]] if True in unpinned else [],
        )


def _expiries(batch: Batch, places: Sequence[int]) -> list[int]:
    """When events expire, in epoch seconds: once the project has kept them, and the whole of their day, long enough.

    So no day that is still open or repaired ever misses some of its events. The purge takes them before that.
    """
    kept_for, zone, now = batch.project.retention_hours * 3_600 + _GRACE_SECONDS, batch.project.timezone, batch.now_ms
    return [kept_for + max(now // 1000, _day_end(zone, batch.at[i] // _QUARTER_MS)) for i in places]


@lru_cache(maxsize=4_096)
def _day_end(zone: str, quarter: int) -> int:
    """When the day ends that a quarter of an hour since 1970 lies in: all midnights are on quarters."""
    moment = datetime.fromtimestamp(quarter * _QUARTER_MS // 1000, UTC)
    return int(midnight(today(zone, moment) + _ONE_DAY, zone).timestamp())


def _at(places: Sequence[int], values: Sequence[_T]) -> list[_T]:
    """The values at those places, which are in order."""
    return list(values) if len(places) == len(values) else [values[i] for i in places]


def _source(e: WireEvent, referrer: str, page: Page) -> Source | None:
    """Where the visit came from: the channel that is named, or what referrer and tags say; None for no visit."""
    if not (e.url or e.referrer or e.channel):
        return None
    found = classify(referrer, page.host, page.source, page.medium, page.ad_click)
    return Source(cast(Channel, e.channel), found.name) if e.channel else found


def _actor(e: WireEvent, identities: Identities) -> int:
    """Whoever did it: the first that is given of `actor`, `userId`, `visitorId`, `anonymousId`; 0 for nobody."""
    given = e.actor or e.user_id or e.visitor_id or e.anonymous_id
    return identities.actor(given) if given else 0


def _derived_id(e: WireEvent, identities: Identities) -> int:
    """The identity of an event that the sender did not name: its content's where it has a time, or a new one."""
    if e.timestamp is None:
        return secrets.randbits(64) or 1
    given = e.actor or e.user_id or e.visitor_id or e.anonymous_id
    return identities.content(e.event, e.timestamp, given, e.session_id, e.value, e.url, e.referrer, e.properties)


def _as_they_are(texts: list[str], _name: str = "") -> list[str]:
    return texts
