"""What of the engine is a person's: what their visitors did and what their forms told, and nothing of others."""

from dataclasses import dataclass
from typing import Final

from tallymark.api.services import Services
from tallymark.control.people import Person
from tallymark.packs.leads.draft import event_id
from tallymark.packs.leads.names import EVENTS
from tallymark.spec.project import Project

_FORMS: Final = (
    "SELECT DISTINCT event_id FROM events WHERE project = {project:UInt32} "
    f"AND event IN {EVENTS} AND actor IN {{actors:Array(UInt64)}} AND event_id NOT IN {{forms:Array(UInt64)}}"
)

_DONE: Final = (
    "SELECT DISTINCT event_id FROM events WHERE project = {project:UInt32} AND actor IN {actors:Array(UInt64)}"
)


@dataclass(frozen=True)
class Traces:
    """The visitors that are the person's alone, and ids of events: those of their forms, and of others' forms.

    `others` have one of these visitors and are not the person's all the same. `shared_visitors` says how many visitors
    are left out, as more leads than this one are linked to them.
    """

    actors: list[int]
    forms: list[int]
    others: list[int]
    shared_visitors: int


def traces_of(here: Services, project: Project, person: Person) -> Traces:
    """The person's, by links as they are now."""
    actors = sorted(int(link.actor, 16) for link in person.links if link.theirs)
    forms = [_event(here, project, one.identity) for one in person.submissions]
    others = [] if person.lead is None else _others(here, project, person.lead.id, actors, forms)
    return Traces(actors, forms, others, sum(link.shared for link in person.links))


def ids_of(here: Services, project: Project, actors: list[int]) -> list[int]:
    """The ids of everything that visitors did."""
    return [row[0] for row in here.engine.query(_DONE, {"project": project.id, "actors": actors})]


def _others(here: Services, project: Project, lead: int, actors: list[int], forms: list[int]) -> list[int]:
    """The events of other people's forms that bear one of these visitors."""
    params = {"project": project.id, "actors": actors, "forms": forms}
    found = {row[0] for row in here.engine.query(_FORMS, params)}
    if not found:
        return []
    return sorted(found & forms_of_others(here, project, lead))


def forms_of_others(here: Services, project: Project, lead: int) -> set[int]:
    """The events of all forms of other people."""
    return {_event(here, project, identity) for identity in here.people.identities(project.id, besides=lead)}


def _event(here: Services, project: Project, identity: str) -> int:
    return here.receiver.enricher.event(project.id, event_id(identity))
