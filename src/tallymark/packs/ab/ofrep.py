"""The OpenFeature Remote Evaluation Protocol: experiments as flags, one (`…/flags/{key}`) or all (`…/flags`).

One that is asked for is met by the unit; all together are fetched beforehand, and none of them is.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, asgi, route
from litestar.enums import MediaType
from litestar.exceptions import MethodNotAllowedException
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from tallymark.api.intake import answer, headers_of, plain_body
from tallymark.api.services import Services
from tallymark.errors import UnreadableBody
from tallymark.experiment.decide import Reason
from tallymark.ingest.decode import well_formed
from tallymark.packs.ab.choosing import Asker, Choice, choose, is_met
from tallymark.packs.ab.contract import CONTRACT
from tallymark.packs.ab.ofrep_errors import (
    EXCEPTION_HANDLERS,
    FlagNotFound,
    InvalidContext,
    ParseError,
    TargetingKeyMissing,
    flag_of,
)
from tallymark.packs.ab.unit import unit_of
from tallymark.spec.experiment import Experiment
from tallymark.spec.project import Project
from tallymark.spec.targeting import MOST_ITEMS, overlong

ALL: Final = "/ofrep/v1/evaluate/flags"
ONE: Final = "/ofrep/v1/evaluate/flags/{key:path}"

#: Methods that are answered, all but POST by a refusal in the protocol's words.
_METHODS: Final = ("POST", "GET", "PUT", "PATCH", "DELETE")

_LARGEST: Final = 1 << 17
_TARGETING_KEY: Final = "targetingKey"

#: OpenFeature's word for each of our reasons.
_REASONS: Final[Mapping[Reason, str]] = {
    Reason.ASSIGNED: "SPLIT",
    Reason.STICKY: "SPLIT",
    Reason.FORCED: "TARGETING_MATCH",
    Reason.SHIPPED: "STATIC",
    Reason.KILLED: "DISABLED",
    Reason.STOPPED: "DISABLED",
    Reason.NOT_RUNNING: "DISABLED",
    Reason.NOT_TARGETED: "DEFAULT",
    Reason.HELD_OUT: "DEFAULT",
    Reason.EXCLUDED: "DEFAULT",
    Reason.NOT_COVERED: "DEFAULT",
}

#: The experiments that are flags of everybody, whether or not they run any more.
_FETCHED: Final = ("running", "stopped", "shipped")

_encode = msgspec.json.encode
_canonical = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True)
class Evaluation:
    """Evaluates flags."""

    here: Services

    async def one(self, scope: Scope, receive: Receive) -> bytes:
        """A flag, which its unit meets. Errors are the protocol's, told by its exception handlers."""
        context, project = await self._asked(scope, receive)
        key = flag_of(scope)
        experiment = self.here.experiment_book.of(project.id).get(key)
        if experiment is None:
            raise FlagNotFound(f"There is no flag {key[:64]!r} in the project {project.name!r}.")
        (choice,) = await self._chosen(project, context, [experiment], is_met(headers_of(scope)))
        return _encode(_flag(choice))

    async def all(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with every flag, or with 304 where the sender has this very answer to this very context."""
        context, project = await self._asked(scope, receive)
        known = self.here.experiment_book.of(project.id).values()
        experiments = sorted((one for one in known if one.status in _FETCHED), key=lambda one: one.key)
        choices = await self._chosen(project, context, experiments, exposed=False)
        body = _encode({"flags": [_flag(choice) for choice in choices], "metadata": {"project": project.name}})
        tag = _tag(context, body)
        if _has(scope, tag):
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", tag)]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await answer(send, 200, body, [(b"etag", tag)])

    async def _asked(self, scope: Scope, receive: Receive) -> tuple[Mapping[str, Any], Project]:
        """The context and the project of a request."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        limit = min(_LARGEST, self.here.settings.max_body_bytes)
        try:
            body = await plain_body(receive, headers_of(scope), limit)
        except UnreadableBody as error:
            raise ParseError(error.message) from None
        query = parse_qs(scope["query_string"].decode("latin-1")) if scope["query_string"] else {}
        named, key = query.get(CONTRACT.field, [None])[0], query.get("key", [None])[0]
        project = CONTRACT.sent_to(self.here, scope, key, named)
        return _context(body), project

    async def _chosen(
        self, project: Project, context: Mapping[str, Any], experiments: Sequence[Experiment], exposed: bool
    ) -> list[Choice]:
        return await choose(self.here, Asker(project, _unit(context), context, exposed), experiments)


def flags(here: Services) -> Sequence[ControllerRouterHandler]:
    """The endpoints."""
    evaluation = Evaluation(here)

    @route(ONE, http_method=_METHODS, status_code=200, include_in_schema=False, exception_handlers=EXCEPTION_HANDLERS)
    async def one(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(await evaluation.one(request.scope, request.receive), media_type=MediaType.JSON)

    @asgi(ALL, is_mount=False, copy_scope=False, exception_handlers=EXCEPTION_HANDLERS)
    async def every(scope: Scope, receive: Receive, send: Send) -> None:
        await evaluation.all(scope, receive, send)

    return [one, every]


def _context(body: bytes) -> Mapping[str, Any]:
    """The context of a body. Errors: `ParseError`, `InvalidContext`."""
    try:
        said = well_formed(body, msgspec.json.decode) if body else {}
    except UnreadableBody as error:
        raise ParseError(error.message) from None
    if not isinstance(said, dict):
        raise ParseError("A request is a JSON object with a context.")
    context = said.get("context")
    if not isinstance(context, dict | None):
        raise InvalidContext("The context is a JSON object.")
    name = overlong(context or {})
    if name is not None:
        raise InvalidContext(f"{name[:64]} is a list of more than {MOST_ITEMS} items.")
    return context or {}


def _unit(context: Mapping[str, Any]) -> str:
    """Whom the context is of. Errors: `TargetingKeyMissing`, `InvalidContext`."""
    given = context.get(_TARGETING_KEY)
    if given is None or given == "":
        raise TargetingKeyMissing(f"The context has no {_TARGETING_KEY}, which says whom the flag is for.")
    try:
        return unit_of(given)
    except ValueError as error:
        raise InvalidContext(f"{_TARGETING_KEY}: {error}") from None


def _flag(choice: Choice) -> dict[str, Any]:
    """A flag as the protocol has it. It says the same however often it is asked for."""
    decision = choice.decision
    metadata: dict[str, Any] = {"inExperiment": decision.in_experiment}
    if not decision.in_experiment:
        metadata["why"] = decision.reason
    return {
        "key": choice.experiment.key,
        "value": choice.value,
        "reason": _REASONS[decision.reason],
        "variant": decision.variant,
        "metadata": metadata,
    }


def _tag(context: Mapping[str, Any], body: bytes) -> bytes:
    """Stands for an answer to a context: another of either has another one."""
    state = hashlib.blake2b(_canonical(context), digest_size=16)
    state.update(b"\n" + body)
    return b'"%b"' % state.hexdigest().encode()


def _has(scope: Scope, tag: bytes) -> bool:
    """Whether the sender says that it has the answer with that tag."""
    named = [value for name, value in scope["headers"] if name == b"if-none-match"]
    tags = [each.strip().removeprefix(b"W/") for value in named for each in value.split(b",")]
    return tag in tags
