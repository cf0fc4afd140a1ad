"""Errors as the OpenFeature Remote Evaluation Protocol has them: `{"key"?, "errorCode", "errorDetails"}`."""

from typing import Any, Final

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Scope

from tallymark.api.errors import answer_http_exception, answer_tallymark_error, answer_unexpected
from tallymark.errors import BadRequest, NotFound, TallymarkError

GENERAL: Final = "GENERAL"


class ParseError(BadRequest):
    """The body is no request for flags."""

    code = "PARSE_ERROR"


class InvalidContext(BadRequest):
    """The context can't be used."""

    code = "INVALID_CONTEXT"


class TargetingKeyMissing(BadRequest):
    """The context does not say whom a flag is for."""

    code = "TARGETING_KEY_MISSING"


class FlagNotFound(NotFound):
    """No experiment has this key."""

    code = "FLAG_NOT_FOUND"


_CODES: Final = frozenset(error.code for error in (ParseError, InvalidContext, TargetingKeyMissing, FlagNotFound))


def flag_of(scope: Scope) -> str:
    """The flag that a path names; it may hold a slash, as no flag's key does. '' where it names none."""
    return str(scope["path_params"].get("key", "")).removeprefix("/")


def _tallymark(request: Request[Any, Any, Any], error: TallymarkError) -> Response[Any]:
    return _told(request, answer_tallymark_error(request, error))


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    return _told(request, answer_http_exception(request, error))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    return _told(request, answer_unexpected(request, error))


def _told(request: Request[Any, Any, Any], response: Response[Any]) -> Response[Any]:
    """The same answer in the protocol's shape; a single flag's names it."""
    error = response.content["error"]
    key = flag_of(request.scope)
    body = {
        **({"key": key} if key else {}),
        "errorCode": error["code"] if error["code"] in _CODES else GENERAL,
        "errorDetails": error["message"],
    }
    headers = dict(response.headers)
    return Response(body, status_code=response.status_code, headers=headers, media_type=MediaType.JSON)


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    TallymarkError: _tallymark,
    HTTPException: _http,
    Exception: _unexpected,
}
