"""`/web/v1/leads`: captured out of forms, listed, and deleted with everything that leads to them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter, RawBody

from tallymark.api.auth import Call
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.control.captures import Captured, standing
from tallymark.control.people import Lead
from tallymark.control.turns import deriving
from tallymark.errors import Conflict, NotFound, TallymarkError
from tallymark.packs.contract import trusted
from tallymark.packs.leads.draft import Arrived, Telling, count_refused, draft_of
from tallymark.packs.leads.form import LeadBadEmail, LeadForm, LeadMalformed, read
from tallymark.packs.leads.outbox import Outbox
from tallymark.packs.redirect import target_of
from tallymark.packs.web.asked import PERSON, PropertyId, asked_person, moment
from tallymark.packs.web.contract import PEOPLE
from tallymark.packs.web.lead_draft import telling
from tallymark.packs.web.linking import link
from tallymark.packs.web.sent import Arrival, Fields, arrival_of, fields_sent, sending_property
from tallymark.packs.web.traces import forms_of_others, ids_of, traces_of
from tallymark.spec.project import Project

_MOST_LISTED: Final = 200

#: What is deleted of a person in the engine takes less than this.
_ERASING_SECONDS: Final = 600.0
_LARGEST_ID: Final = 2**63 - 1
_CAPTURE: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "email": Schema(type=OpenAPIType.STRING, description="The address; kept sealed."),
        "form": Schema(type=OpenAPIType.STRING, description="Name of the form."),
        "submissionId": Schema(type=OpenAPIType.STRING, description="Identity: sent again with it, it counts once."),
        "visitorId": Schema(type=OpenAPIType.STRING, description="The visitor, as events name them."),
        "consent": Schema(description="Yes or no to marketing, or an object of purposes."),
        "propertyId": Schema(type=OpenAPIType.STRING, description="Name of the project."),
    },
    required=["email"],
    additional_properties=True,
    examples=[{"email": "ada@example.org", "form": "signup", "consent": {"marketing": True}, "propertyId": "site"}],
)


@dataclass(frozen=True)
class _Taken:
    """A form that is stored, with what its sender is told; `captured` is None for one that fell into the trap."""

    project: Project
    form: LeadForm
    told: dict[str, Any]
    captured: Captured | None


@dataclass(frozen=True)
class Gone:
    """How much went with a person, and of how many visitors nothing did, as others are linked to them too."""

    deleted: Mapping[str, int]
    shared_visitors: int


@post(
    "/leads/capture",
    status_code=201,
    summary="Capture a lead",
    operation_class=with_body(_CAPTURE),
    responses=documented(400, 401, 403, 404, 413, 503),
)
async def capture(request: Call) -> Response[Any]:
    """Takes a form, as JSON or as browsers send it, with a person's address; a form that is sent again counts once.

    Answers once form and event are on disk. A browser without a script is sent on with 303.
    """
    here = services(request.app.state)
    arrival = arrival_of(request, here)
    try:
        fields = await fields_sent(request)
    except LeadMalformed as error:
        await asyncio.to_thread(_count_unread, here, request, arrival, error)
        raise
    taken = await asyncio.to_thread(_take, here, request, arrival, fields)
    if taken.captured is not None and taken.captured.outbox is not None:
        await Outbox(here).write(taken.project, taken.captured.submission_id, taken.captured.outbox)
    return _answer(here, arrival, taken)


def _answer(here: Services, arrival: Arrival, taken: _Taken) -> Response[Any]:
    """What a script reads, or where a browser is sent on to."""
    if not arrival.form:
        return Response(taken.told, status_code=201)
    target = target_of(taken.form.redirect, arrival.origin, arrival.referer, here.settings.cors_origins)
    if target.location is not None:
        return Response(taken.told, status_code=303, headers={"Location": target.location})
    return Response({**taken.told, "redirect": target.told()} if target.refused else taken.told, status_code=201)


def _take(here: Services, request: Call, arrival: Arrival, fields: Fields) -> _Taken:
    """Stores a form. Errors: `LeadMalformed`, `LeadBadEmail`, both counted; those of `sending_property`."""
    project = sending_property(here, request, fields, arrival.origin)
    try:
        form = read(fields)
        believed = trusted(here, request.scope, project)
        if form.trapped:
            return _Taken(project, form, _trap(here, project, form, repr(fields), believed), None)
        draft = draft_of(here, project, form, *_told_by(form, arrival.of(fields), believed))
    except (LeadMalformed, LeadBadEmail) as error:
        count_refused(here, project.id, error)
        raise
    captured = here.people.capture(draft)
    told = _told(form, draft.email_hash, draft.identity, captured.consents)
    return _Taken(project, form, told | _known(form, believed, captured.repeated, captured.new), captured)


def _told_by(form: LeadForm, arrival: Arrival, believed: bool) -> tuple[Arrived, Telling]:
    """Where a form came from, and what is told of it. Anybody with a page's key could say the address of another."""
    arrived = Arrived(arrival.ip, arrival.user_agent, believed=not arrival.relayed, trusted=believed)
    return arrived, telling(form, arrival)


def _trap(here: Services, project: Project, form: LeadForm, said: str, believed: bool) -> dict[str, Any]:
    """What a program is told that fills in what people don't see: nothing else than anybody."""
    lead, identity = (here.vault.fingerprint(project.id, f"{name} {said}") for name in ("lead", "identity"))
    return _told(form, lead, identity, form.consents) | _known(form, believed, repeated=False, new=True)


def _known(form: LeadForm, believed: bool, repeated: bool, new: bool) -> dict[str, Any]:
    """What the sender is told of before, but for what would tell a stranger who left their address.

    Of a form that came before who gave it an id, or an admin; of a lead that did an admin.
    """
    told = {"repeated": repeated} if form.submission_id or believed else {}
    return told | ({"new": new} if believed else {})


def _told(form: LeadForm, lead: str, identity: str, consents: Mapping[str, str]) -> dict[str, Any]:
    """What every sender is told: what they said themselves."""
    return {
        "ok": True,
        "leadId": lead[:16],
        "submissionId": form.submission_id or identity,
        "consent": dict(consents),
    }


def _count_unread(here: Services, request: Call, arrival: Arrival, error: LeadMalformed) -> None:
    """Counts a form that can't be read for the property of the query, or for none."""
    try:
        project = sending_property(here, request, {}, arrival.origin).id
    except TallymarkError:
        project = 0
    count_refused(here, project, error)


@get("/leads", sync_to_thread=True, summary="List leads", responses=documented(400, 401, 403, 404, 503))
def list_leads(
    request: Call,
    property_id: PropertyId = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST_LISTED, description="How many.")] = 50,
    before: Annotated[
        int | None, QueryParameter(ge=1, le=_LARGEST_ID, description="`next` of the answer before.")
    ] = None,
) -> dict[str, Any]:
    """The leads of a property, newest first, with their addresses and what they allow."""
    here = services(request.app.state)
    project = PEOPLE.administrated(here, request.scope, property_id)
    leads = here.people.leads(project.id, limit + 1, before)
    listed = leads[:limit]
    return {
        "ok": True,
        "leads": [_listed(here, project, lead) for lead in listed],
        "next": listed[-1].id if len(leads) > limit else None,
    }


def _listed(here: Services, project: Project, lead: Lead) -> dict[str, Any]:
    person = here.people.person(project.id, lead.email_hash)
    submissions = person.submissions if person else ()
    return {
        "leadId": lead.email_hash[:16],
        "email": here.vault.open(project.id, lead.email_sealed),
        "firstCapturedAt": moment(lead.first_captured_at),
        "lastCapturedAt": moment(lead.last_captured_at),
        "form": submissions[-1].form if submissions else "",
        "submissions": len(submissions),
        "consent": standing(person.consents, lead.email_hash) if person else {},
        "unsubscribedAt": moment(person.unsubscribe.at) if person and person.unsubscribe else None,
    }


@post(
    "/leads/delete",
    sync_to_thread=True,
    status_code=200,
    summary="Delete a person",
    operation_class=with_body(PERSON),
    responses=documented(400, 401, 403, 404, 409, 503),
)
def delete_lead(request: Call, body: RawBody) -> dict[str, Any]:
    """Deletes a lead, their forms and links, and the events of the visitors that they are; numbers follow.

    The consent log stays, by keyed hash alone, and so does an unsubscribe; so do the events of visitors that others
    are linked to as well, told of as `sharedVisitors`. May be repeated after a failure.
    """
    here = services(request.app.state)
    project, email = asked_person(here, request, body)
    gone = erase(here, project, email)
    return {"ok": True, "deleted": gone.deleted, "sharedVisitors": gone.shared_visitors}


def erase(here: Services, project: Project, email: str) -> Gone:
    """What went with a person, in both stores. Errors: `NotFound`; `Conflict`, `Unavailable`: repeat it then."""
    email_hash = here.vault.look_up(project.id, email)
    here.store.replay()
    link(here)
    person = here.people.person(project.id, email_hash)
    if person is None or person.lead is None:
        raise NotFound("Nobody with this address is a lead.", field="email")
    traces = traces_of(here, project, person)
    lead = person.lead.id
    with (
        here.archives.without(project, traces.actors, traces.forms, lambda: forms_of_others(here, project, lead)),
        here.turns.alone(deriving(project.id), _ERASING_SECONDS) as alone,
    ):
        if not alone:
            raise Conflict("Another process is making events out of this project's: ask again.")
        here.assignments.forget(project.id, traces.actors)
        done = ids_of(here, project, traces.actors)
        here.evaluations.forget_exchanges(project.id, done)
        here.reviews.forget_exchanges(project.id, done)
        days = here.keeper.forget(project, traces.actors, traces.forms, traces.others)
    erased = here.people.erase(project.id, email_hash, datetime.fromtimestamp(here.now(), UTC))
    if erased is None:
        raise NotFound("Nobody with this address is a lead.", field="email")
    deleted = {
        "leads": 1,
        "submissions": erased.submissions,
        "links": erased.links,
        "actors": len(traces.actors),
        "days": len(days),
    }
    return Gone(deleted, traces.shared_visitors)
