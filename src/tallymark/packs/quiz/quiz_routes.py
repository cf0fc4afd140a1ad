"""`/quiz/api/v1/quizzes`: which quizzes there are, and whose."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypedDict

from litestar import delete, get, put
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.access.guard import token_of
from tallymark.api.auth import Call
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.control.quizzes import Quiz
from tallymark.errors import BadRequest, NotFound
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.project import Project, instant_text

_LONGEST: Final = 200
_ERRORS: Final = documented(400, 401, 403, 404, 409, 503)
_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "title": Schema(type=OpenAPIType.STRING, max_length=_LONGEST, description="What people call it."),
        "owner": Schema(
            type=OpenAPIType.STRING, max_length=_LONGEST,
            description="The `sub` of the tokens of who owns it; empty: nobody.",
        ),
    },
    additional_properties=False,
)  # fmt: skip

_Project = Annotated[str | None, QueryParameter(description="Name of a project with the pack quiz.")]
_Id = Annotated[str, PathParameter(description="Id of the quiz, as events have it, percent-encoded.")]


class PublicQuiz(TypedDict):
    """A quiz, and the user who owns it, '' for nobody."""

    quizId: str
    title: str
    owner: str
    createdAt: str
    updatedAt: str


class ManyQuizzes(TypedDict):
    """Quizzes, by id."""

    quizzes: list[PublicQuiz]


class OneQuiz(TypedDict):
    """One quiz."""

    quiz: PublicQuiz


class DeletedQuiz(TypedDict):
    """A quiz as it was when it was forgotten."""

    deleted: PublicQuiz


@get("/api/v1/quizzes", sync_to_thread=True, summary="List quizzes and their owners", responses=_ERRORS)
def list_quizzes(request: Call, project: _Project = None) -> ManyQuizzes:
    """The quizzes that somebody said something of; for teachers their own."""
    here = services(request.app.state)
    viewer = _viewer(here, request, project)
    shown = here.quizzes.list(viewer.project.id, viewer.user if viewer.role == "teacher" else None)
    return {"quizzes": [_public(quiz) for quiz in shown]}


@get("/api/v1/quizzes/{quiz_id:str}", sync_to_thread=True, summary="A quiz and its owner", responses=_ERRORS)
def get_quiz(request: Call, quiz_id: _Id, project: _Project = None) -> OneQuiz:
    """The quiz."""
    here = services(request.app.state)
    viewer = _viewer(here, request, project)
    viewer.look_at_quiz(quiz_id)
    found = here.quizzes.get(viewer.project.id, quiz_id)
    return {"quiz": _public(_there(found))}


@put("/api/v1/quizzes/{quiz_id:str}", sync_to_thread=True, summary="Say whose a quiz is",
     operation_class=with_body(_BODY), responses=_ERRORS)  # fmt: skip
def put_quiz(request: Call, quiz_id: _Id, body: RawBody, project: _Project = None) -> OneQuiz:
    """Gives a quiz a title and an owner, who sees its numbers from now on. An admin of the project may."""
    here = services(request.app.state)
    owner, by = _administrated(here, request, project, quiz_id)
    said = _read(read_json(body))
    quiz = here.quizzes.put(owner.id, _text(quiz_id, "quizId"), said["title"], said["owner"], by, _now(here))
    return {"quiz": _public(quiz)}


@delete("/api/v1/quizzes/{quiz_id:str}", sync_to_thread=True, status_code=200, summary="Forget whose a quiz is",
        responses=_ERRORS)  # fmt: skip
def delete_quiz(request: Call, quiz_id: _Id, project: _Project = None) -> DeletedQuiz:
    """Forgets title and owner; events of the quiz stay. An admin of the project may."""
    here = services(request.app.state)
    owner, by = _administrated(here, request, project, quiz_id)
    return {"deleted": _public(_there(here.quizzes.remove(owner.id, quiz_id, by, _now(here))))}


def _viewer(here: Services, request: Call, project: str | None) -> Viewer:
    viewer = Viewer.of(here, request.scope, project)
    viewer.look_at_quizzes()
    return viewer


def _administrated(here: Services, request: Call, name: str | None, quiz: str) -> tuple[Project, str]:
    """The project for an admin of it, by key or by token, and what the audit calls them."""
    viewer = Viewer.of(here, request.scope, name)
    if viewer.user is None:
        project = CONTRACT.administrated(here, request.scope, name)
        return project, here.access.known(token_of(request.scope["headers"])).name
    viewer.change_quiz(quiz)
    return viewer.project, f"user {viewer.user}"


def _read(said: Any) -> Mapping[str, str]:
    if not isinstance(said, dict):
        raise BadRequest("The body must be an object.")
    unknown = next((name for name in said if name not in _BODY.properties), None) if _BODY.properties else None
    if unknown is not None:
        raise BadRequest(f"There is no field {unknown[:64]!r}.", field="body", allowed=["title", "owner"])
    return {name: _text(said.get(name, ""), name, least=0) for name in ("title", "owner")}


def _text(said: Any, field: str, least: int = 1) -> str:
    if not isinstance(said, str) or not least <= len(said) <= _LONGEST or not (said == "" or said.isprintable()):
        raise BadRequest(f"{field} must be a text of {least} to {_LONGEST} printable characters.", field=field)
    return said


def _there(found: Quiz | None) -> Quiz:
    if found is None:
        raise NotFound("Nobody said anything of this quiz.", field="quizId")
    return found


def _now(here: Services) -> datetime:
    return datetime.fromtimestamp(here.now(), UTC)


def _public(quiz: Quiz) -> PublicQuiz:
    return {
        "quizId": quiz.id,
        "title": quiz.title,
        "owner": quiz.owner,
        "createdAt": instant_text(quiz.created_at),
        "updatedAt": instant_text(quiz.updated_at),
    }


HANDLERS: Final = (list_quizzes, get_quiz, put_quiz, delete_quiz)
