"""Guesses which visitors a lead is: those who came from the same address and browser in the day before the form.

The confidence of a guess is 0.9 divided by the number of visitors found: one alone is surely the same person but for
a shared device, and of two each may be. What is done to a person (deleted, exported) is done to the visitors that are
known from a form itself or guessed with a confidence of 0.5 or more.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from tallymark.api.services import Services
from tallymark.control.links import LinkDraft, UnlinkedLead
from tallymark.control.people import Person
from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds
from tallymark.packs.web import names

ALONE: Final = 0.9
SURE: Final = 0.5
#: How long before the form visitors may have come. Leads are looked at for an hour more: events may come late.
REACH: Final = timedelta(hours=24)
_LOOKED_AT: Final = REACH + timedelta(hours=1)

_FOUND: Final = f"""
SELECT w.lead, groupUniqArray(e.actor) FROM events AS e
INNER JOIN (
    SELECT lead, origin, until FROM
    (SELECT {{leads:Array(UInt64)}} AS leads, {{origins:Array(UInt64)}} AS origins, {{untils:Array(Int64)}} AS untils)
    ARRAY JOIN leads AS lead, origins AS origin, untils AS until
) AS w ON e.origin = w.origin
WHERE e.project = {{project:UInt32}} AND e.actor != 0 AND e.event != '{names.LEAD}'
    AND e.origin IN {{origins:Array(UInt64)}}
    AND e.occurred_at >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')
    AND e.occurred_at > fromUnixTimestamp64Milli(w.until, 'UTC') - INTERVAL {int(REACH.total_seconds())} SECOND
    AND e.occurred_at <= fromUnixTimestamp64Milli(w.until, 'UTC')
GROUP BY w.lead
"""


def link(here: Services) -> int:
    """Guesses for every lead of the last 25 hours whose visitor is not known; gives the number of guesses."""
    now = datetime.fromtimestamp(here.now(), UTC)
    leads = sorted(here.people.unlinked(now - _LOOKED_AT), key=attrgetter("project_id"))
    drafts = [
        draft
        for project, those in groupby(leads, attrgetter("project_id"))
        for draft in guesses(here.engine, project, list(those), now)
    ]
    here.people.link(drafts)
    return len(drafts)


def guesses(engine: Engine, project: int, leads: Sequence[UnlinkedLead], now: datetime) -> list[LinkDraft]:
    """The visitors that each lead may be, of one project, asked for at once."""
    wanted = [(lead, int(origin, 16)) for lead in leads for origin in lead.origins if origin and int(origin, 16)]
    if not wanted:
        return []
    params = {
        "project": project,
        "leads": [lead.id for lead, _ in wanted],
        "origins": [origin for _, origin in wanted],
        "untils": [milliseconds(lead.last_captured_at) for lead, _ in wanted],
        "start": milliseconds(min(lead.last_captured_at for lead, _ in wanted) - REACH),
    }
    return [
        LinkDraft(lead, f"{actor:016x}", ALONE / len(actors), now)
        for lead, actors in engine.query(_FOUND, params)
        for actor in sorted(actors)
    ]


def visitors_of(person: Person) -> list[int]:
    """The actors that are taken for the person."""
    sure = {link.actor for link in person.links if link.kind == "direct" or link.confidence >= SURE}
    return sorted(int(actor, 16) for actor in sure)
