"""`/v1/funnels`: how far actors come, who does not go on, and the funnels that a project declares."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from litestar import Router, delete, get, put
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.answer.behaviour.funnel import FunnelAnswer, actors_who_left, answer_funnel
from tallymark.answer.behaviour.tell import tell_funnel
from tallymark.answer.compare import Told
from tallymark.answer.run import Runs
from tallymark.api.auth import Call, ProjectName, project_for
from tallymark.api.behaviour import TAG, Asker, Filters, First, Last, Zone, asker
from tallymark.api.behaviour_question import LEFT, funnel_question, left_at, whole_number
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, one
from tallymark.api.segment_filters import SegmentKeys
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery, BodyTooLarge, NotFound
from tallymark.spec.behaviour import FunnelQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.declared_funnels import declared
from tallymark.spec.funnel import Funnel
from tallymark.spec.funnel_draft import PublicFunnel, PublicStep, public_funnel, read_funnel
from tallymark.spec.project import Project
from tallymark.spec.window import Window, today

_LARGEST = 65_536
_HASH_DIGITS = 16
_EPOCH = date(1970, 1, 1)

_STEP = Schema(
    one_of=[
        Schema(type=OpenAPIType.STRING, description="Name of an event."),
        Schema(
            type=OpenAPIType.OBJECT,
            properties={
                "name": Schema(type=OpenAPIType.STRING, description="What the step is called; default: its event."),
                "event": Schema(
                    one_of=[
                        Schema(type=OpenAPIType.STRING),
                        Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING)),
                    ],
                    description="Name of an event, or several, one of which it must have.",
                ),
                "where": Schema(
                    type=OpenAPIType.OBJECT,
                    description="Values by column or props.…; or {op, values} with an operator of filters.",
                ),
            },
            additional_properties=False,
        ),
    ]
)
_BODY = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "title": Schema(type=OpenAPIType.STRING, description="What people call it; default: its name."),
        "steps": Schema(type=OpenAPIType.ARRAY, items=_STEP, min_items=2, max_items=20),
        "within": Schema(type=OpenAPIType.STRING, pattern="^[0-9]{1,9}[dhms]$", description="7d unless it is said."),
    },
    required=["steps"],
    additional_properties=False,
    examples=[{"title": "Sign-up", "steps": ["page_view", "form_start", "form_submit"], "within": "1d"}],
)

_Name = Annotated[str, PathParameter(description="Name of a funnel.")]
_Declared = Annotated[str | None, QueryParameter(name="name", description="A funnel that is declared.")]
_Steps = Annotated[
    list[str] | None,
    QueryParameter(name="step", description="A step: an event's name, or {name, event, where} as JSON; 2 to 20."),
]
_Within = Annotated[str | None, QueryParameter(description="From first to last step: 30m, 12h, 7d; default 7d.")]


class DeclaredFunnel(TypedDict):
    """A funnel and who declares it: `project`, or the `pack` that is named."""

    name: str
    title: str
    steps: list[PublicStep]
    within: str
    declaredBy: Literal["project", "pack"]
    pack: NotRequired[str]


class ManyFunnels(TypedDict):
    """Funnels, by name."""

    funnels: list[DeclaredFunnel]


class OneFunnel(TypedDict):
    """A funnel, and whether it is a new one."""

    funnel: PublicFunnel
    created: bool


class DeletedFunnel(TypedDict):
    """A funnel as it was when it was deleted."""

    deleted: PublicFunnel


@get("/", summary="Ask for a funnel", responses=documented(400, 401, 403, 404, 503))
async def ask_funnel(
    request: Call,
    project: ProjectName = None,
    name: _Declared = None,
    step: _Steps = None,
    within: _Within = None,
    first: First = None,
    to: Last = None,
    timezone: Zone = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    by: Annotated[str | None, QueryParameter(description="Dimension of the first step, or variant.")] = None,
    experiment: Annotated[str | None, QueryParameter(description="Key of the experiment of by=variant.")] = None,
    limit: Annotated[str | None, QueryParameter(description="Most groups; default 20.")] = None,
) -> dict[str, Any]:
    """How many actors take each step in order, how long it takes them, overall and by group. See docs/funnels.md."""
    who = await asyncio.to_thread(asker, request, project)
    query = await asyncio.to_thread(_asked, who, who.given)
    _check_by(query, who)

    def ask(_: Runs) -> Told:
        answer = answer_funnel(who.here.engine, query, who.project, _catalog(who))
        _check_experiment(query, answer, who)
        return Told(tell_funnel(query, answer, who.now), False)

    complete = _closes(query) <= who.now
    looked_at = await asyncio.to_thread(_looked_at, query, who)
    return await who.answered((query, complete), [looked_at], ask)


@get("/actors", sync_to_thread=True, summary="Actors who left a funnel", responses=documented(400, 401, 403, 404, 503))
def left_funnel(
    request: Call,
    project: ProjectName = None,
    name: _Declared = None,
    step: _Steps = None,
    within: _Within = None,
    first: First = None,
    to: Last = None,
    timezone: Zone = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    dropoff: Annotated[str, QueryParameter(description="Name or number of the step that they didn't reach.")] = "",
    limit: Annotated[str | None, QueryParameter(description="Most actors; default 1,000, at most 10,000.")] = None,
    after: Annotated[str | None, QueryParameter(description="`next` of the page before.")] = None,
) -> dict[str, Any]:
    """The hashed ids of the actors who took the step before this one and not this one, in pages."""
    who = asker(request, project)
    given = who.given
    most = whole_number(given, "limit", 1_000, 1, 10_000)
    asked = {key: values for key, values in given.items() if key != "limit"}
    query = _asked(who, asked, LEFT, most + 1)
    place = left_at(given, query.funnel)
    catalog = who.here.catalog.only(who.project.packs)
    found = actors_who_left(who.here.engine, query, who.project, catalog, place, _cursor(given))
    return {
        "project": who.project.name,
        "step": query.funnel.steps[place].name,
        "complete": _closes(query) <= who.now,
        "actors": found[:most],
        "next": found[most - 1] if len(found) > most else None,
        "freshness": who.freshness([_looked_at(query, who)]).body(),
    }


@get("/declared", sync_to_thread=True, summary="List funnels", responses=documented(400, 401, 403, 404))
def list_funnels(request: Call, project: ProjectName = None) -> ManyFunnels:
    """The funnels that a project has: its own, and those of its packs that it has none of the same name for."""
    who = asker(request, project)
    own = who.here.funnels.of_project(who.project.id)
    mine = {funnel.name for funnel in own}
    packs = {funnel.name: pack.name for pack in _catalog(who).packs for funnel in pack.funnels}
    return {
        "funnels": [
            _declared(funnel, None if name in mine else packs[name])
            for name, funnel in sorted(declared(_catalog(who), own).items())
        ]
    }


@put("/{name:str}", sync_to_thread=True, summary="Declare a funnel", operation_class=with_body(_BODY),
     responses=documented(400, 401, 403, 404, 409, 413))  # fmt: skip
def put_funnel(request: Call, name: _Name, body: RawBody, project: ProjectName = None) -> OneFunnel:
    """Declares a funnel of a project, or declares it anew; it wins over one of the same name of a pack."""
    here, owner = _administrated(request, project)
    if len(body) > _LARGEST:
        raise BodyTooLarge(f"A funnel has at most {_LARGEST} bytes.")
    funnel = read_funnel(name, read_json(body))
    created = here.funnels.put(owner.id, funnel, datetime.fromtimestamp(here.now(), UTC))
    return {"funnel": public_funnel(funnel), "created": created}


@delete("/{name:str}", sync_to_thread=True, status_code=200, summary="Delete a funnel",
        responses=documented(400, 401, 403, 404))  # fmt: skip
def delete_funnel(request: Call, name: _Name, project: ProjectName = None) -> DeletedFunnel:
    """Forgets a funnel that a project declares; one of its packs stays."""
    here, owner = _administrated(request, project)
    deleted = here.funnels.remove(owner.id, name)
    if deleted is None:
        raise NotFound(f"The project declares no funnel {name[:64]!r}.", field="name")
    return {"deleted": public_funnel(deleted)}


def _asked(
    who: Asker, given: Parameters, names: tuple[str, ...] | None = None, limit: int | None = None
) -> FunnelQuery:
    """The question about one of the project's funnels, or about one of the steps that are given."""
    funnels = declared(_catalog(who), who.here.funnels.of_project(who.project.id))
    more = () if names is None else (names,)
    query = funnel_question(given, who.project.timezone, who.now, funnels, *more)
    return query if limit is None else FunnelQuery(query.funnel, query.window, query.filter, limit=limit)


def _check_by(query: FunnelQuery, who: Asker) -> None:
    """Raises `BadQuery` for by=variant without an experiment, unless it is a dimension."""
    if query.by == "variant" and query.by not in _catalog(who).dimensions:
        raise BadQuery("by=variant is of an experiment: experiment=KEY.", field="experiment")


def _check_experiment(query: FunnelQuery, answer: FunnelAnswer, who: Asker) -> None:
    """Raises `BadQuery` for an experiment that nobody met and nobody made."""
    known = who.here.experiment_book.of(who.project.id)
    if query.experiment is not None and query.experiment not in known and not answer.groups and not answer.of_several:
        raise BadQuery(f"There is no experiment {query.experiment[:80]!r}.", field="experiment", allowed=sorted(known))


def _catalog(who: Asker) -> Catalog:
    return who.here.catalog.only(who.project.packs)


def _closes(query: FunnelQuery) -> datetime:
    """When the last of those who enter can take a step no more."""
    return query.window.end + timedelta(seconds=query.funnel.within)


def _looked_at(query: FunnelQuery, who: Asker) -> Window:
    """From the first day of the window, or of exposures, to the last one that somebody may go on in."""
    zone = query.window.timezone
    return Window(_first(query, who), today(zone, _closes(query) - timedelta(milliseconds=1)), zone)


def _first(query: FunnelQuery, who: Asker) -> date:
    if query.experiment is None:
        return query.window.first
    experiment = who.here.experiment_book.of(who.project.id).get(query.experiment)
    if experiment is None:
        return _EPOCH  # units met it whenever they say
    begun = experiment.started_at or experiment.created_at
    return min(query.window.first, today(query.window.timezone, begun))


def _cursor(given: Parameters) -> str:
    text = one(given, "after") or ""
    if text and (len(text) != _HASH_DIGITS or not set(text) <= set("0123456789abcdef")):
        raise BadQuery("after is the `next` of the page before.", field="after")
    return text


def _declared(funnel: Funnel, pack: str | None) -> DeclaredFunnel:
    told = public_funnel(funnel)
    body = DeclaredFunnel(
        name=told["name"], title=told["title"], steps=told["steps"], within=told["within"],
        declaredBy="project" if pack is None else "pack",
    )  # fmt: skip
    return body if pack is None else {**body, "pack": pack}


def _administrated(request: Call, name: str | None) -> tuple[Services, Project]:
    return services(request.app.state), project_for(request, name or None, "admin")


funnels_router = Router(
    path="/v1/funnels",
    route_handlers=[ask_funnel, left_funnel, list_funnels, put_funnel, delete_funnel],
    tags=[TAG],
)
