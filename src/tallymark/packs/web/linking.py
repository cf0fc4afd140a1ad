"""Finds out which visitors a lead is: guesses, and makes sure of those that a form named.

A guess is who came from the same address and browser in the day before the form. Its confidence is 0.9 divided by the
number of visitors found, and by the number of leads that each was found for: one alone is surely the same person but
for a shared device, and of two each may be.

Anybody may send a form with the id of another's visitor. So a visitor that a form named is certain only if they were
seen within a day of it at the form's own address and browser, or a server with an admin key sent it.

What is done to a person (deleted, exported) is done to visitors with a confidence of 0.5 or more that no other lead is
linked to.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from tallymark.api.services import Services
from tallymark.control.links import CERTAIN, LinkDraft, UncertainLead
from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds
from tallymark.packs.leads.names import EVENTS

ALONE: Final = 0.9
#: How long before the form visitors may have come. Leads are looked at for an hour more: events may come late.
REACH: Final = timedelta(hours=24)
_LOOKED_AT: Final = REACH + timedelta(hours=1)
_NONE: Final = timedelta(0)

_FOUND: Final = f"""
SELECT w.lead, groupUniqArray(e.actor) FROM events AS e
INNER JOIN (
    SELECT lead, origin, start, until FROM
    (SELECT {{leads:Array(UInt64)}} AS leads, {{origins:Array(UInt64)}} AS origins,
        {{starts:Array(Int64)}} AS starts, {{untils:Array(Int64)}} AS untils)
    ARRAY JOIN leads AS lead, origins AS origin, starts AS start, untils AS until
) AS w ON e.origin = w.origin
WHERE e.project = {{project:UInt32}} AND e.actor != 0 AND e.event NOT IN {EVENTS}
    AND e.origin IN {{origins:Array(UInt64)}}
    AND e.occurred_at >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')
    AND e.occurred_at > fromUnixTimestamp64Milli(w.start, 'UTC')
    AND e.occurred_at <= fromUnixTimestamp64Milli(w.until, 'UTC')
GROUP BY w.lead
"""


def link(here: Services) -> int:
    """Looks at every lead of the last 25 hours whose visitor is not certain; gives the number of guesses and proofs."""
    now = datetime.fromtimestamp(here.now(), UTC)
    leads = sorted(here.people.uncertain(now - _LOOKED_AT), key=attrgetter("project_id"))
    drafts = [
        draft
        for project, those in groupby(leads, attrgetter("project_id"))
        for draft in found(here.engine, project, list(those), now)
    ]
    here.people.link(drafts)
    return len(drafts)


def found(engine: Engine, project: int, leads: Sequence[UncertainLead], now: datetime) -> list[LinkDraft]:
    """The visitors that each lead may be, or is for certain, of one project, asked for at once."""
    seen = _seen(engine, project, leads)
    may_be = {lead.id: lead.claimed or seen.get(lead.id, frozenset()) for lead in leads}
    sharing = Counter(actor for actors in may_be.values() for actor in actors)
    return [draft for lead in leads for draft in _drafts(lead, seen.get(lead.id, frozenset()), sharing, now)]


def _drafts(lead: UncertainLead, seen: frozenset[str], sharing: Mapping[str, int], now: datetime) -> list[LinkDraft]:
    """What the visitors who were seen where the form came from say of one lead."""
    if lead.claimed:
        return [LinkDraft(lead.id, actor, CERTAIN, now, "direct") for actor in sorted(lead.claimed & seen)]
    return [LinkDraft(lead.id, actor, ALONE / (len(seen) * sharing[actor]), now) for actor in sorted(seen)]


def _seen(engine: Engine, project: int, leads: Sequence[UncertainLead]) -> dict[int, frozenset[str]]:
    """The visitors at each lead's origins: in the day before the form, of who named one also in the day after."""
    wanted = [(lead, int(origin, 16)) for lead in leads for origin in lead.origins if origin and int(origin, 16)]
    if not wanted:
        return {}
    params = {
        "project": project,
        "leads": [lead.id for lead, _ in wanted],
        "origins": [origin for _, origin in wanted],
        "starts": [milliseconds(lead.last_captured_at - REACH) for lead, _ in wanted],
        "untils": [milliseconds(lead.last_captured_at + (REACH if lead.claimed else _NONE)) for lead, _ in wanted],
        "start": milliseconds(min(lead.last_captured_at for lead, _ in wanted) - REACH),
    }
    return {lead: frozenset(f"{actor:016x}" for actor in actors) for lead, actors in engine.query(_FOUND, params)}
