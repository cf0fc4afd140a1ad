"""Quotas: so many events of a UTC day, over restarts, and the next day anew."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec

from tallymark.ingest.decode import decode
from tallymark.ingest.gate import admit, kept, rejections
from tallymark.ingest.quota import Quotas
from tallymark.spec.event import Reason
from tests.conftest import ANY_AGE, World, Worlds

NOW = datetime.now(UTC)


def _taken(quotas: Quotas, world: World, events: int, now: datetime = NOW) -> int:
    """How many of some good events and one bad one are taken; the rest is refused for the quota."""
    body = msgspec.json.encode([{"event": "x"}] * events + [{"event": ""}])
    batch = admit(decode(body), world.project, ANY_AGE, round(now.timestamp() * 1000), "", body)
    asyncio.run(quotas.check(batch))
    refused = [r.index for r in rejections(batch) if r.reason is Reason.QUOTA]
    assert refused == list(range(len(kept(batch)), events))
    return len(kept(batch))


def test_events_over_the_quota_are_refused(world: Worlds) -> None:
    here = world(quota=5)
    quotas = Quotas(here.engine)
    assert [_taken(quotas, here, 3) for _ in range(3)] == [3, 2, 0]


def test_a_project_without_a_quota_takes_everything(world: Worlds) -> None:
    here = world()
    assert _taken(Quotas(here.engine), here, 100) == 100


def test_a_quota_of_nothing_takes_nothing(world: Worlds) -> None:
    here = world(quota=0)
    assert _taken(Quotas(here.engine), here, 2) == 0


def test_projects_do_not_share_a_quota_and_days_begin_anew(world: Worlds) -> None:
    here, other = world(quota=2), world(quota=2)
    quotas = Quotas(here.engine)
    assert (_taken(quotas, here, 3), _taken(quotas, other, 3)) == (2, 2)
    assert _taken(quotas, here, 3, NOW + timedelta(days=1)) == 2


def test_after_a_restart_the_stored_events_of_the_day_count(world: Worlds) -> None:
    here = world(quota=4)
    here.send([{"event": "x", "eventId": str(i)} for i in range(3)], NOW)
    here.send([{"event": "x", "eventId": "0"}], NOW)
    assert _taken(Quotas(here.engine), here, 5) == 1
