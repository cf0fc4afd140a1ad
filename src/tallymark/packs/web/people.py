"""`POST /web/v1/people/export`: everything that is held about a person, for the person."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import post
from litestar.params import RawBody

from tallymark.api.auth import Call
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.control.consents import Consent
from tallymark.control.people import Lead, Person, Submission
from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.errors import NotFound
from tallymark.packs.web.asked import PERSON, asked_person, moment
from tallymark.packs.web.linking import link
from tallymark.packs.web.traces import Traces, traces_of
from tallymark.spec.project import Project

_TEXTS: Final = (
    "event", "bot", "host", "path", "referrer_host", "source", "channel", "medium", "campaign", "term", "content",
    "country", "device", "browser", "os",
)  # fmt: skip
_MOMENTS: Final = ("occurred_at", "received_at", "expires_at")
#: Keyed hashes, written as the links of a person are.
_HASHES: Final = ("event_id", "actor", "session", "origin")
_COLUMNS: Final = (*_TEXTS, *_MOMENTS, *_HASHES, "value", "variants")

_EVENTS: Final = (
    f"SELECT {', '.join(_COLUMNS)}, toJSONString(props) FROM events FINAL WHERE project = {{project:UInt32}} "
    "AND (event_id IN {forms:Array(UInt64)} OR actor IN {actors:Array(UInt64)} AND event_id NOT IN "
    "{others:Array(UInt64)}) ORDER BY occurred_at, event_id"
)


@post(
    "/people/export",
    sync_to_thread=True,
    status_code=200,
    summary="Export a person",
    operation_class=with_body(PERSON),
    responses=documented(400, 401, 403, 404, 503),
)
def export(request: Call, body: RawBody) -> dict[str, Any]:
    """Everything held about a person: lead, forms, consents, links, and what the visitors that they are did and got.

    Left out are the events of visitors that others are linked to as well, told of as `sharedVisitors`.
    """
    here = services(request.app.state)
    project, email = asked_person(here, request, body)
    email_hash = here.vault.look_up(project.id, email)
    here.store.replay()
    link(here)
    person = here.people.person(project.id, email_hash)
    if person is None:
        raise NotFound("Nothing is held of this address.", field="email")
    return {"ok": True, **_told(here, project, person)}


def _told(here: Services, project: Project, person: Person) -> dict[str, Any]:
    traces = traces_of(here, project, person)
    return {
        "property": project.name,
        "lead": None if person.lead is None else _lead(here, project, person.lead),
        "submissions": [_submission(here, project, one) for one in person.submissions],
        "consents": [_consent(one) for one in person.consents],
        "unsubscribe": person.unsubscribe
        and {"at": moment(person.unsubscribe.at), "source": person.unsubscribe.source},
        "links": [
            {"visitor": one.actor, "kind": one.kind, "confidence": one.confidence, "at": moment(one.at)}
            for one in person.links
        ],
        "assignments": _assignments(here, project, traces.actors),
        "events": events_of(here.engine, project, traces),
        "sharedVisitors": traces.shared_visitors,
    }


def events_of(engine: Engine, project: Project, traces: Traces) -> list[dict[str, Any]]:
    """The events of a person, oldest first, with every column that says anything."""
    params = {"project": project.id, "actors": traces.actors, "forms": traces.forms, "others": traces.others}
    return [_event(dict(zip(_COLUMNS, row, strict=False)), row[-1]) for row in engine.query(_EVENTS, params)]


def _event(row: dict[str, Any], props: str) -> dict[str, Any]:
    told = {
        **row,
        **{name: moment(utc(row[name])) for name in _MOMENTS},
        **{name: f"{row[name]:016x}" if row[name] else "" for name in _HASHES},
        "properties": msgspec.json.decode(props),
    }
    return {_camel(name): value for name, value in told.items() if value not in ("", None, [])}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _lead(here: Services, project: Project, lead: Lead) -> dict[str, Any]:
    return {
        "leadId": lead.email_hash[:16],
        "email": here.vault.open(project.id, lead.email_sealed),
        "visitor": lead.actor or None,
        "origins": [origin for origin in lead.origins if origin],
        "firstCapturedAt": moment(lead.first_captured_at),
        "lastCapturedAt": moment(lead.last_captured_at),
    }


def _submission(here: Services, project: Project, one: Submission) -> dict[str, Any]:
    sealed = one.payload_sealed
    return {
        "submissionId": one.identity,
        "form": one.form,
        "submittedAt": moment(one.submitted_at),
        "newLead": one.new_lead,
        "payload": None if sealed is None else msgspec.json.decode(here.vault.open(project.id, sealed)),
    }


def _assignments(here: Services, project: Project, actors: Collection[int]) -> list[dict[str, Any]]:
    """What the visitors were given in experiments."""
    keys = {experiment.id: key for key, experiment in here.experiment_book.of(project.id).items()}
    return [
        {
            "visitor": f"{actor:016x}",
            "experimentId": keys.get(experiment),
            "variant": has.variant,
            "assignedAt": _instant(has.assigned_at),
            "exposedAt": None if has.exposed_at is None else _instant(has.exposed_at),
        }
        for actor, held in here.assignments.of(project.id, actors).items()
        for experiment, has in held.items()
    ]


def _instant(ms: int) -> str:
    return moment(datetime.fromtimestamp(ms / 1000, UTC))


def _consent(one: Consent) -> dict[str, Any]:
    return {
        "subject": "visitor" if one.subject.startswith("v:") else "address",
        "purpose": one.purpose,
        "state": one.state,
        "source": one.source,
        "policy": one.policy,
        "at": moment(one.at),
    }
