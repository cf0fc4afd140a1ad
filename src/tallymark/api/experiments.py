"""`/v1/experiments`: made, changed, started, stopped, shipped, archived, and what was done to them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypedDict

from litestar import Router, delete, get, patch, post
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.api.auth import Call, require
from tallymark.api.body import read_json, with_body
from tallymark.api.deeds import ManyDeeds, public_deeds
from tallymark.api.errors import documented
from tallymark.api.experiment_keys import check_keys
from tallymark.api.experiment_schema import CHANGE, DRAFT, SHIPPED
from tallymark.api.pack_project import project_with
from tallymark.api.services import Services, services
from tallymark.control.experiments import Doer, subject_of
from tallymark.control.keys import Scope
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.experiment import Experiment
from tallymark.spec.experiment_draft import PublicExperiment, parse_draft, public
from tallymark.spec.json_values import whole
from tallymark.spec.project import Project

_LARGEST_REVISION: Final = 2**31 - 1

_Key = Annotated[str, PathParameter(description="Key of an experiment.")]
_Project = Annotated[str | None, QueryParameter(description="Name or id; default: the key's own.")]


class OneExperiment(TypedDict):
    """An experiment."""

    experiment: PublicExperiment


class ManyExperiments(TypedDict):
    """Experiments, oldest first."""

    experiments: list[PublicExperiment]


class DeletedExperiment(TypedDict):
    """A draft as it was when it was deleted."""

    deleted: PublicExperiment


@post(
    "/",
    sync_to_thread=True,
    summary="Create an experiment",
    operation_class=with_body(DRAFT),
    responses=documented(400, 401, 403, 404, 409),
)
def create_experiment(request: Call, body: RawBody, project: _Project = None) -> OneExperiment:
    """Makes an experiment, a draft: it is served once it is started. An admin of the project may."""
    here, owner, doer = _admin(request, project)
    said = _object(body)
    draft = parse_draft(said)
    check_keys(said)
    return _told(here, here.experiments.create(owner.id, draft, doer))


@get("/", sync_to_thread=True, summary="List experiments", responses=documented(400, 401, 403, 404, 409))
def list_experiments(request: Call, project: _Project = None) -> ManyExperiments:
    """Every experiment of a project, archived ones included."""
    owner = _owner(request, project, "read")
    return {"experiments": [public(found) for found in services(request.app.state).experiments.all(owner.id)]}


@get("/{key:str}", sync_to_thread=True, summary="Show an experiment", responses=documented(400, 401, 403, 404, 409))
def show_experiment(request: Call, key: _Key, project: _Project = None) -> OneExperiment:
    """An experiment: its definition and its status."""
    owner = _owner(request, project, "read")
    found = services(request.app.state).experiments.get(owner.id, key)
    if found is None:
        raise NotFound(f"There is no experiment {key[:64]!r}.", field="key")
    return {"experiment": public(found)}


@patch(
    "/{key:str}",
    sync_to_thread=True,
    summary="Change an experiment",
    operation_class=with_body(CHANGE),
    responses=documented(400, 401, 403, 404, 409),
)
def update_experiment(request: Call, key: _Key, body: RawBody, project: _Project = None) -> OneExperiment:
    """Changes the given fields and leaves the others alone.

    Of a draft all may change; once it has started, those that don't move units from variant to variant. `revision`
    refuses the change where somebody else has made one since.
    """
    here, owner, doer = _admin(request, project)
    change = dict(_object(body))
    said = change.pop("revision", None)
    revision = None if said is None else whole(said, "revision", 1, _LARGEST_REVISION)
    check_keys(change)
    return _told(here, here.experiments.update(owner.id, key, change, doer, revision))


@delete(
    "/{key:str}",
    sync_to_thread=True,
    status_code=200,
    summary="Delete a draft",
    responses=documented(400, 401, 403, 404, 409),
)
def delete_experiment(request: Call, key: _Key, project: _Project = None) -> DeletedExperiment:
    """Deletes an experiment that never started; others are archived."""
    here, owner, doer = _admin(request, project)
    return {"deleted": _told(here, here.experiments.delete(owner.id, key, doer))["experiment"]}


@post(
    "/{key:str}/start",
    sync_to_thread=True,
    status_code=200,
    summary="Start an experiment",
    responses=documented(400, 401, 403, 404, 409),
)
def start_experiment(request: Call, key: _Key, project: _Project = None) -> OneExperiment:
    """Gives variants to units from now on; a stopped experiment goes on with the assignments that it had."""
    here, owner, doer = _admin(request, project)
    return _told(here, here.experiments.start(owner.id, key, doer))


@post(
    "/{key:str}/stop",
    sync_to_thread=True,
    status_code=200,
    summary="Stop an experiment",
    responses=documented(400, 401, 403, 404, 409),
)
def stop_experiment(request: Call, key: _Key, project: _Project = None) -> OneExperiment:
    """Gives control to everybody from now on; also takes back a variant that was shipped."""
    here, owner, doer = _admin(request, project)
    return _told(here, here.experiments.stop(owner.id, key, doer))


@post(
    "/{key:str}/ship",
    sync_to_thread=True,
    status_code=200,
    summary="Ship a variant",
    operation_class=with_body(SHIPPED),
    responses=documented(400, 401, 403, 404, 409),
)
def ship_experiment(request: Call, key: _Key, body: RawBody, project: _Project = None) -> OneExperiment:
    """Ends an experiment, and gives one of its variants to everybody from now on."""
    here, owner, doer = _admin(request, project)
    said = _object(body)
    variant = said.get("variant")
    if not isinstance(variant, str) or len(said) > 1:
        raise BadRequest("Say which variant, and nothing else.", field="variant", allowed=["variant"])
    return _told(here, here.experiments.ship(owner.id, key, variant, doer))


@post(
    "/{key:str}/archive",
    sync_to_thread=True,
    status_code=200,
    summary="Archive an experiment",
    responses=documented(400, 401, 403, 404, 409),
)
def archive_experiment(request: Call, key: _Key, project: _Project = None) -> OneExperiment:
    """Puts an experiment away for good: its results stay, and whoever still asks for it gets control."""
    here, owner, doer = _admin(request, project)
    return _told(here, here.experiments.archive(owner.id, key, doer))


@get("/{key:str}/audit", sync_to_thread=True, summary="Show what was done to an experiment",
     responses=documented(400, 401, 403, 404, 409))  # fmt: skip
def audit_experiment(request: Call, key: _Key, project: _Project = None) -> ManyDeeds:
    """Who did what to an experiment and when, newest first; also of one that was deleted."""
    owner = _owner(request, project, "read")
    deeds = public_deeds(services(request.app.state).audit, owner.id, subject_of(key))
    if not deeds["audit"]:
        raise NotFound(f"There is no experiment {key[:64]!r}.", field="key")
    return deeds


def _owner(request: Call, name: str | None, scope: Scope) -> Project:
    """The project that is meant, if the caller may do this in it and it has the pack."""
    return project_with("ab", "Experiments", request, name, scope)


def _admin(request: Call, name: str | None) -> tuple[Services, Project, Doer]:
    """The services, the project, and who changes something there now."""
    project, here = _owner(request, name, "admin"), services(request.app.state)
    identity = require(request, "admin", project.id)
    return here, project, Doer(identity.name, datetime.fromtimestamp(here.now(), UTC))


def _object(body: bytes) -> Mapping[str, Any]:
    said = read_json(body)
    if not isinstance(said, Mapping):
        raise BadRequest("The body is no JSON object.")
    return said


def _told(here: Services, experiment: Experiment) -> OneExperiment:
    """The experiment as it is now, which everybody in this process is to know."""
    here.experiment_book.forget()
    return {"experiment": public(experiment)}


#: Needs the services.
experiments_router = Router(
    path="/v1/experiments",
    route_handlers=[
        create_experiment,
        list_experiments,
        show_experiment,
        update_experiment,
        delete_experiment,
        start_experiment,
        stop_experiment,
        ship_experiment,
        archive_experiment,
        audit_experiment,
    ],
    tags=["experiments"],
)
