"""`POST /ab/v1/assignment`: which variants a unit gets. A bare ASGI application, since every start of an app asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from tallymark.api.intake import answer, headers_of, plain_body
from tallymark.api.services import Services
from tallymark.errors import BadRequest, NotFound
from tallymark.ingest.decode import well_formed
from tallymark.packs.ab.choosing import Asker, Choice, choose, is_met
from tallymark.packs.ab.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.ab.unit import NAMES, unit_in
from tallymark.spec.experiment import Experiment
from tallymark.spec.project import Project, instant_text
from tallymark.spec.targeting import MOST_ITEMS, overlong

PATH: Final = "/ab/v1/assignment"

#: Bytes of a body.
_LARGEST: Final = 1 << 16

#: Experiments that a request may name.
_MOST: Final = 100

_ONE: Final = ("experimentId", "experiment_id", "experimentKey", "experiment_key", "experiment")
_SEVERAL: Final = ("experimentIds", "experiment_ids", "experimentKeys", "experiments")

_encode = msgspec.json.encode


class MissingUnitId(BadRequest):
    """A request that names no unit."""

    code = "missing_unit_id"


class UnknownExperiment(NotFound):
    """A key that no experiment of the project has."""

    code = "unknown_experiment"


@dataclass(frozen=True)
class Asked:
    """What a body asks: of whom, of which experiments (None: of all that run), and whether these are met."""

    unit_id: str
    attributes: Mapping[str, Any]
    keys: tuple[str, ...] | None
    one: bool
    exposed: bool
    project: str | None


@dataclass(frozen=True)
class Assignment:
    """Answers what a unit gets."""

    here: Services

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Errors are those of the contract, told by its exception handlers."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        headers, limit = headers_of(scope), min(_LARGEST, self.here.settings.max_body_bytes)
        asked = read(await plain_body(receive, headers, limit))
        query = parse_qs(scope["query_string"].decode("latin-1")) if scope["query_string"] else {}
        named = asked.project or query.get(CONTRACT.field, [None])[0]
        project = CONTRACT.sent_to(self.here, scope, query.get("key", [None])[0], named)
        asker = Asker(project, asked.unit_id, asked.attributes, asked.exposed and is_met(headers))
        choices = await choose(self.here, asker, self._experiments(project, asked))
        await answer(send, 200, _encode(_told(choices, asked.one)), [])

    def _experiments(self, project: Project, asked: Asked) -> Sequence[Experiment]:
        """The experiments that are asked for. Errors: `UnknownExperiment`."""
        known = self.here.experiment_book.of(project.id)
        if asked.keys is None:
            return [experiment for experiment in known.values() if experiment.status == "running"]
        for key in asked.keys:
            if key not in known:
                running = [one.key for one in known.values() if one.status == "running"]
                message = f"There is no experiment {key[:64]!r} in the project {project.name!r}."
                raise UnknownExperiment(message, field="experimentId", allowed=running[:_MOST])
        return [known[key] for key in asked.keys]


def assignment(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    assigning = Assignment(here)

    @asgi(PATH, is_mount=False, copy_scope=False, exception_handlers=EXCEPTION_HANDLERS)
    async def assign(scope: Scope, receive: Receive, send: Send) -> None:
        await assigning.serve(scope, receive, send)

    return assign


def read(body: bytes) -> Asked:
    """What a body asks. Errors: `UnreadableBody`; `BadRequest`, which names fields and never values."""
    said = well_formed(body, msgspec.json.decode)
    if not isinstance(said, dict):
        raise BadRequest("An assignment is asked for by a JSON object.", allowed=["unitId", "experimentId"])
    one = _first(said, _ONE)
    keys = _keys([one] if one is not None else _first(said, _SEVERAL))
    exposed = said.get("exposure", one is not None)
    if not isinstance(exposed, bool):
        raise BadRequest("exposure is true or false.", field="exposure", allowed=["true", "false"])
    project = said.get(CONTRACT.field)
    if not isinstance(project, str | None):
        raise BadRequest("project is a name.", field=CONTRACT.field)
    return Asked(_unit(said), _attributes(said), keys, one is not None, exposed, project)


def _unit(said: Mapping[str, Any]) -> str:
    try:
        unit = unit_in(said)
    except ValueError as error:
        raise BadRequest(str(error), field="unitId") from None
    if unit is None:
        raise MissingUnitId("Whom is it for? unitId is missing.", field="unitId", allowed=NAMES)
    return unit


def _attributes(said: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = said.get("attributes")
    if not isinstance(attributes, dict | None):
        raise BadRequest("attributes are a JSON object.", field="attributes")
    name = overlong(attributes or {})
    if name is not None:
        allowed = [f"at most {MOST_ITEMS} items"]
        raise BadRequest("An attribute is too long a list.", field=f"attributes.{name[:64]}", allowed=allowed)
    return attributes or {}


def _keys(said: Any) -> tuple[str, ...] | None:
    if said is None:
        return None
    if not isinstance(said, list) or not all(isinstance(key, str) for key in said):
        raise BadRequest("Experiments are named by their keys.", field="experimentId")
    if len(said) > _MOST:
        raise BadRequest(f"{len(said)} experiments are more than {_MOST}.", field="experimentIds")
    return tuple(dict.fromkeys(said))


def _first(said: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((said[name] for name in names if said.get(name) is not None), None)


def _told(choices: Sequence[Choice], one: bool) -> dict[str, Any]:
    if one:
        return {"success": True, **_told_of(choices[0])}
    return {"success": True, "assignments": [_told_of(choice) for choice in choices]}


def _told_of(choice: Choice) -> dict[str, Any]:
    decision, at = choice.decision, choice.assigned_at
    return {
        "experimentId": choice.experiment.key,
        "variant": decision.variant,
        "value": choice.value,
        "inExperiment": decision.in_experiment,
        "reason": decision.reason,
        "assignedAt": None if at is None else instant_text(datetime.fromtimestamp(at / 1000, UTC)),
    }
