"""Every error as an answer of one shape: `{"error": {"code", "message", "field"?, "allowed"?}}`."""

from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

import structlog
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap

from tallymark.api.intake import error_headers
from tallymark.errors import BodyTooLarge, EngineUnavailable, TallymarkError, Unavailable

_LOG = structlog.get_logger()


class ErrorDetail(TypedDict):
    """What went wrong: a code for programs, a message for people, what would have been allowed."""

    code: str
    message: str
    field: NotRequired[str]
    allowed: NotRequired[list[str]]


class ErrorBody(TypedDict):
    """The body of every answer that is not a success."""

    error: ErrorDetail


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The `responses` of a handler that may answer with these errors, for OpenAPI."""
    return {
        status: ResponseSpec(ErrorBody, description=HTTPStatus(status).phrase, generate_examples=False)
        for status in statuses
    }


def answer_tallymark_error(request: Request[Any, Any, Any], error: TallymarkError) -> Response[Any]:
    """The error's own status and body; one that only a bug or the infrastructure explains tells nothing."""
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Unavailable):
        return answer_unexpected(request, error)
    if isinstance(error, EngineUnavailable):
        _LOG.warning("engine_unavailable", path=request.url.path, why=error.message)
    return _answer(error.status, error.body(), error_headers(error))


def answer_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework refuses: no such path, a wrong method, a parameter that can't be read."""
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_unexpected(request, error)
    message, field = _reason(request, error)
    detail = {"code": _code(error.status_code), "message": message}
    if field is not None:
        detail["field"] = field
    return _answer(error.status_code, {"error": detail}, error.headers or {})


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A bug: logged with all there is to know, answered with nothing of it."""
    _LOG.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    detail = {"code": "internal_error", "message": "Something went wrong here; it is logged."}
    return _answer(500, {"error": detail}, {})


#: For `Litestar(exception_handlers=…)`.
EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    TallymarkError: answer_tallymark_error,
    HTTPException: answer_http_exception,
    Exception: answer_unexpected,
}


def _answer(status: int, body: object, headers: dict[str, str]) -> Response[Any]:
    return Response(body, status_code=status, headers=headers, media_type=MediaType.JSON)


def _code(status: int) -> str:
    if status == BodyTooLarge.status:
        return BodyTooLarge.code
    return HTTPStatus(status).name.lower()


def _reason(request: Request[Any, Any, Any], error: HTTPException) -> tuple[str, str | None]:
    """The message, and the parameter it is about if there is one."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "There is nothing at this path.", None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here.", None
    problems = error.extra if isinstance(error.extra, list) else []
    if problems and isinstance(problems[0], dict) and "key" in problems[0]:
        field, message = str(problems[0]["key"]), str(problems[0].get("message", error.detail))
        return f"{field}: {message}", field
    return error.detail, None
