"""`/quiz/xapi/statements`: what learning systems send, as the Experience API has it."""

import asyncio
import re
from base64 import b64decode
from binascii import Error
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, post, put
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter, RawBody
from litestar.types import ControllerRouterHandler

from tallymark.api.auth import Call
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.services import services
from tallymark.errors import BadRequest
from tallymark.packs.quiz.statement import BadStatement, uuid_of
from tallymark.packs.quiz.statements import Intake
from tallymark.packs.quiz.users import sender_of

VERSION: Final = "X-Experience-API-Version"

#: Versions that are taken: as a request may say them, and as the answer does.
_VERSIONS: Final = ((re.compile(r"1\.0(\.\d+)?"), "1.0.3"), (re.compile(r"2\.0(\.\d+)?"), "2.0.0"))
_LATEST: Final = "2.0.0"
_MULTIPART: Final = "multipart/mixed"

_EXAMPLE: Final = {
    "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee",
    "actor": {"account": {"homePage": "https://school.example", "name": "u-7"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "https://school.example/quizzes/algebra"},
    "result": {"score": {"raw": 8, "max": 10}, "duration": "PT61.5S"},
    "context": {"registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7"},
    "timestamp": "2026-02-01T12:00:03Z",
}
_STATEMENT: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        **{name: Schema(type=OpenAPIType.OBJECT) for name in ("actor", "verb", "object", "result", "context")},
        **{name: Schema(type=OpenAPIType.STRING) for name in ("id", "timestamp")},
    },
    required=["actor", "verb", "object"],
    additional_properties=True,
    examples=[_EXAMPLE],
)
_STATEMENTS: Final = Schema(one_of=[_STATEMENT, Schema(type=OpenAPIType.ARRAY, items=_STATEMENT)])

ProjectName = Annotated[str | None, QueryParameter(description="Name of the project.")]


@post(
    "/xapi/statements",
    status_code=200,
    summary="Send xAPI statements",
    operation_class=with_body(_STATEMENTS),
    responses=documented(400, 401, 403, 404, 409, 413, 503),
)
async def post_statements(request: Call, body: RawBody, project: ProjectName = None) -> Response[list[str]]:
    """Takes a statement or an array of them, all or none, and answers with their ids once they are on disk.

    A statement is known by its id: sent again it counts once, and one that says something else is a conflict.
    """
    headers = _version(request)
    said = _said(request, body)
    intake = await _intake(request, project)
    ids = await intake.take(said if isinstance(said, list) else [said], body)
    return Response(ids, status_code=200, headers=headers)


@put(
    "/xapi/statements",
    status_code=204,
    summary="Send an xAPI statement",
    operation_class=with_body(_STATEMENT),
    responses=documented(400, 401, 403, 404, 409, 413, 503),
)
async def put_statement(
    request: Call,
    body: RawBody,
    statement_id: Annotated[str, QueryParameter(name="statementId", description="The statement's id.")],
    project: ProjectName = None,
) -> Response[None]:
    """Takes one statement under an id, which its own has to be where it has one."""
    headers = _version(request)
    said = _said(request, body)
    intake = await _intake(request, project)
    await intake.take([_named(said, statement_id)], body)
    return Response(None, status_code=204, headers=headers)


def _version(request: Call) -> dict[str, str]:
    """The header that says which version the answer is of. Errors: `BadRequest` for one that is not taken."""
    given = request.headers.get(VERSION, _LATEST).strip()
    for form, version in _VERSIONS:
        if form.fullmatch(given):
            return {VERSION: version}
    raise BadRequest("This version of xAPI is not taken.", field=VERSION, allowed=[each for _, each in _VERSIONS])


def _said(request: Call, body: bytes) -> Any:
    """What the body says. Errors: `UnreadableBody`; `BadRequest` for attachments."""
    if request.headers.get("content-type", "").lower().startswith(_MULTIPART):
        raise BadRequest("Attachments are not taken: send the statements alone, as application/json.")
    return read_json(body)


async def _intake(request: Call, name: str | None) -> Intake:
    """What takes statements in for the caller; a key may also be the password of `Authorization: Basic`.

    Errors: those of `sender_of`.
    """
    here = services(request.app.state)
    return Intake(here, *await asyncio.to_thread(sender_of, here, request.scope, _basic(request), name))


def _basic(request: Call) -> str | None:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return b64decode(text.strip(), validate=True).decode().partition(":")[2] or None
    except (Error, UnicodeDecodeError):
        raise BadRequest("`Authorization: Basic` is base64 of a name, a colon and a key.") from None


def _named(said: Any, statement_id: str) -> Any:
    """The statement with the id it is sent under. Errors: `BadStatement`."""
    try:
        wanted = uuid_of("statementId", statement_id)
        own = said.get("id") if isinstance(said, dict) else None
        if isinstance(own, str) and uuid_of("id", own) != wanted:
            raise msgspec.ValidationError("`id` is another one than `statementId`")
    except msgspec.ValidationError as error:
        raise BadStatement(f"{error}.", field="statementId") from None
    return {**said, "id": wanted} if isinstance(said, dict) else said


HANDLERS: Final[tuple[ControllerRouterHandler, ...]] = (post_statements, put_statement)
