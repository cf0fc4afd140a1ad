"""Every error a user can meet, as one tree; each knows its HTTP status and its stable code.

    TallymarkError
    ├── BadRequest            400  bad_request
    │   ├── UnreadableBody    400  unreadable_body
    │   ├── BadQuery          400  bad_query
    │   └── BadSetting        -    bad_setting        (at start)
    ├── Unauthorized          401  unauthorized
    ├── Forbidden             403  forbidden
    ├── NotFound              404  not_found
    ├── Conflict              409  conflict
    │   └── Stopping          409  stopping
    ├── Gone                  410  gone
    ├── BodyTooLarge          413  body_too_large
    ├── TooManyRequests       429  too_many_requests  (`Retry-After`)
    │   └── RateLimited       429  rate_limited       (`Retry-After`, `RateLimit`, `RateLimit-Policy`)
    └── Unavailable           503  unavailable        (`Retry-After`)
        ├── QueueFull         503  queue_full
        ├── EngineUnavailable 503  engine_unavailable
        ├── EngineLocked      -    engine_locked      (at start)
        └── AdminAuthNotConfigured 503 admin_auth_not_configured

Refusals of single events are values, not exceptions: see `spec.event.Reason`.
"""

from collections.abc import Mapping, Sequence


class TallymarkError(Exception):
    """An error with a message for people, a code for programs and what would have been allowed."""

    status = 500
    code = "internal_error"

    def __init__(self, message: str, *, allowed: Sequence[str] | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.allowed = list(allowed) if allowed is not None else None
        self.field = field

    def body(self) -> dict[str, object]:
        """The JSON shape of the common API: `{"error": {"code", "message", "field"?, "allowed"?}}`."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        if self.allowed is not None:
            error["allowed"] = self.allowed
        return {"error": error}


class BadRequest(TallymarkError):
    """The request itself is wrong; sending it again can't help."""

    status = 400
    code = "bad_request"


class UnreadableBody(BadRequest):
    """The body is not JSON, not NDJSON, or its compression is broken."""

    code = "unreadable_body"


class BadQuery(BadRequest):
    """A question names a metric, dimension, date or option that does not exist."""

    code = "bad_query"


class BadSetting(BadRequest):
    """A setting is unknown or has a value that can't be used."""

    code = "bad_setting"


class Unauthorized(TallymarkError):
    """No key, or one that does not exist."""

    status = 401
    code = "unauthorized"


class Forbidden(TallymarkError):
    """The key exists but its scope or project does not allow this."""

    status = 403
    code = "forbidden"


class NotFound(TallymarkError):
    """There is no such thing, or it belongs to someone else."""

    status = 404
    code = "not_found"


class Conflict(TallymarkError):
    """What is asked for contradicts what exists."""

    status = 409
    code = "conflict"


class Stopping(Conflict):
    """The server is stopping, so long work ends early."""

    code = "stopping"


class Gone(TallymarkError):
    """It was there, and its time is over."""

    status = 410
    code = "gone"


class BodyTooLarge(TallymarkError):
    """The body, plain or after decompression, is over the limit."""

    status = 413
    code = "body_too_large"


class TooManyRequests(TallymarkError):
    """More is asked for at once than may be; the same request may be sent again later."""

    status = 429
    code = "too_many_requests"
    retry_after = 30


class RateLimited(TooManyRequests):
    """Whoever asks has asked too often; `fields` are the headers that say how often they may."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after: int, fields: Mapping[str, str]) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.fields = dict(fields)


class Unavailable(TallymarkError):
    """Something that is needed is away for now; the same request may be sent again later."""

    status = 503
    code = "unavailable"
    retry_after = 1


class QueueFull(Unavailable):
    """More events wait to be written than the queue may hold."""

    code = "queue_full"


class EngineUnavailable(Unavailable):
    """The engine did not answer. Where it is, and what it said, is for the log alone."""

    code = "engine_unavailable"

    def body(self) -> dict[str, object]:
        """As of any error, without its own message."""
        return {"error": {"code": self.code, "message": "The engine can't be reached now; try again later."}}


class EngineLocked(Unavailable):
    """Another process owns the embedded engine's directory."""

    code = "engine_locked"


class AdminAuthNotConfigured(Unavailable):
    """No admin key is configured, so nobody can be an admin."""

    code = "admin_auth_not_configured"
