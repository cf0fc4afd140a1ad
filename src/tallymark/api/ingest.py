"""`POST /v1/events` and `POST /v1/import`: bodies in, receipts out, by the shortest way through the framework.

Both are bare ASGI applications: the framework's own reading of bodies would halve what a core can take in.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog
from litestar.exceptions import MethodNotAllowedException
from litestar.types import ASGIApp, Receive, Scope, Send

from tallymark.access.guard import Access, token_of
from tallymark.api.directory import Directory
from tallymark.api.intake import answer, answer_error, client_address, headers_of, media_type, plain_body
from tallymark.control.keys import Scope as KeyScope
from tallymark.errors import BadRequest, NotFound, RateLimited, TallymarkError
from tallymark.ingest.decode import Rejection
from tallymark.ingest.receive import Receipt, Receiver, Sender
from tallymark.spec.event import Reason
from tallymark.spec.project import Project

_log = structlog.get_logger()
_encode = msgspec.json.encode

_NDJSON = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")


@dataclass
class Ingest:
    """What both endpoints share."""

    access: Access
    directory: Directory
    receiver: Receiver
    max_body_bytes: int
    trusted_proxies: int

    async def serve(self, scope: Scope, receive: Receive, send: Send, key_scope: KeyScope, imported: bool) -> None:
        """Answers one request."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        try:
            receipt = await self._take(scope, receive, key_scope, imported)
        except TallymarkError as error:
            await answer_error(send, error)
        else:
            await answer(send, 202, _encode(_told(receipt)), [])

    async def _take(self, scope: Scope, receive: Receive, key_scope: KeyScope, imported: bool) -> Receipt:
        headers = headers_of(scope)
        token = token_of(scope["headers"])
        project = self._project(token, scope["query_string"], key_scope)
        plain = await plain_body(receive, headers, self.max_body_bytes)
        ndjson = media_type(headers) in _NDJSON
        sender = Sender(
            client_address(scope, headers, self.trusted_proxies), headers.get(b"user-agent", b"").decode("latin-1")
        )
        if isinstance(project, Project):
            return await self.receiver.receive(plain, project, sender, ndjson, imported)
        return self.receiver.refuse_all(plain, ndjson, Reason.UNKNOWN_PROJECT, project)

    def _project(self, token: str | None, query: bytes, key_scope: KeyScope) -> Project | str:
        """The project of the key, or the one a key of every project names in the query; a text where there is none."""
        identity = self.access.known(token)
        named = parse_qs(query.decode("latin-1")).get("project", [""])[0] if query else ""
        if identity.project_id is not None:
            self.access.require(token, key_scope, identity.project_id)
            own = self.directory.by_id(identity.project_id)
            if own is not None and named not in ("", own.name, str(own.id)):
                raise NotFound(f"There is no project {named[:64]!r} for this key.", field="project")
            return own or "The key's project was deleted."
        self.access.require(token, key_scope, None)
        if not named:
            raise BadRequest("This key is good for every project: say which with ?project=NAME.", field="project")
        found = self.directory.by_name(named)
        if found is None and key_scope == "admin":
            raise NotFound(f"There is no project {named[:64]!r}.", field="project")
        return found or f"There is no project {named[:64]!r}."


class Shortcut:
    """An application in front of another one: events go straight to their endpoint, all else goes on.

    The framework's layers (routing, CORS, exceptions) cost as much as a small event itself. A browser's request names
    its origin and takes the long way, where CORS is seen to.
    """

    def __init__(self, path: str, endpoint: ASGIApp, rest: ASGIApp) -> None:
        self._path = path
        self._endpoint = endpoint
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request by the endpoint or by the rest."""
        if scope["path"] != self._path or scope.get("method") != "POST" or _names_origin(scope):
            await self._rest(scope, receive, send)
            return
        try:
            await self._endpoint(scope, receive, send)
        except RateLimited as error:
            await answer_error(send, error)
        except Exception:
            _log.exception("request_failed", path=self._path)
            await answer(send, 500, _FAILED, [])


def _names_origin(scope: Scope) -> bool:
    return any(name == b"origin" for name, _ in scope["headers"])


_FAILED = _encode({"error": {"code": "internal_error", "message": "Something went wrong here; it is logged."}})


def _told(receipt: Receipt) -> dict[str, Any]:
    return {"accepted": receipt.accepted, "rejected": [_rejection(r) for r in receipt.rejected]}


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {"index": rejection.index, "reason": rejection.reason, "message": rejection.message}
