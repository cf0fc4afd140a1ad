"""`/web/v1/unsubscribe`: what the link in a mail leads to, and the link itself.

Opening the link changes nothing, since programs that look at mails open links too; a button does, and so does the
one click of RFC 8058.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.enums import MediaType
from litestar.params import QueryParameter, RawBody

from tallymark.api.auth import Call
from tallymark.api.base_url import base_of
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.errors import BadRequest
from tallymark.packs.leads.form import LeadMalformed, first
from tallymark.packs.web.asked import PERSON, asked_person
from tallymark.packs.web.contract import failure
from tallymark.packs.web.sent import fields_sent

PATH: Final = "/web/v1/unsubscribe"

_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1.25rem}"
)
_PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
    f"<style>{_STYLE.replace('{', '{{').replace('}', '}}')}</style></head>"
    "<body><main><h1>{title}</h1>{text}</main></body></html>"
)
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_ASKED: Final = (
    "Unsubscribe",
    '<p>You will get no more of these mails.</p><form method="post"><button type="submit">Unsubscribe</button></form>',
)
_DONE: Final = ("Unsubscribed", "<p>You will get no more of these mails. You may close this page.</p>")
_BAD: Final = ("This link does not work", "<p>It is not complete. Please open it from the mail again.</p>")

_Token = Annotated[str, QueryParameter(description="Of the link.")]


class BadToken(BadRequest):
    """An unsubscribe token that this installation did not make."""

    code = "bad_token"


@get("/unsubscribe", sync_to_thread=True, summary="Ask before unsubscribing", responses=documented(400))
def ask(request: Call, token: _Token = "") -> Response[Any]:
    """A page with a button. Changes nothing."""
    here = services(request.app.state)
    return _refused(request) if _read(here, token) is None else _page(200, _ASKED)


@post("/unsubscribe", status_code=200, summary="Unsubscribe", responses=documented(400, 503))
async def unsubscribe(request: Call, token: _Token = "") -> Response[Any]:
    """Unsubscribes the address of a token, in the query or the body, at once and for good; repeating changes nothing.

    Takes the one click of RFC 8058 and the page's button.
    """
    here = services(request.app.state)
    given = [token, *await _tokens_sent(request)]
    if not await asyncio.to_thread(_unsubscribe, here, given):
        return _refused(request)
    return _page(200, _DONE) if _reads_html(request) else Response({"ok": True, "unsubscribed": True}, status_code=200)


@post(
    "/unsubscribe/link",
    sync_to_thread=True,
    status_code=200,
    summary="Make an unsubscribe link",
    operation_class=with_body(PERSON),
    responses=documented(400, 401, 403, 404, 503),
)
def make_link(request: Call, body: RawBody) -> dict[str, Any]:
    """The link for a mail to an address, whether it is known or not, with the headers of that mail."""
    here = services(request.app.state)
    project, email = asked_person(here, request, body)
    token = here.vault.token(project.id, here.vault.look_up(project.id, email))
    url = f"{base_of(request, here.settings.trusted_proxies)}{PATH}?token={token}"
    headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return {"ok": True, "url": url, "headers": headers}


async def _tokens_sent(request: Call) -> list[str]:
    """What stands as `token` in the body."""
    try:
        said = (await fields_sent(request)).get("token")
    except LeadMalformed:
        return []
    return [first({"token": text}, "token") for text in (said if isinstance(said, list) else [said])]


def _unsubscribe(here: Services, tokens: Sequence[str]) -> bool:
    """Whether one of the tokens, of which the first counts, is good; its address gets no more mail."""
    read = (_read(here, token) for token in tokens)
    found = next((whose for whose in read if whose is not None), None)
    if found is not None:
        here.people.unsubscribe(*found, "link", datetime.fromtimestamp(here.now(), UTC))
    return found is not None


def _read(here: Services, token: str) -> tuple[int, str] | None:
    """The project and the keyed hash of a token, of a project that there is."""
    found = here.vault.read_token(token)
    return found if found is not None and here.directory.by_id(found[0]) is not None else None


def _refused(request: Call) -> Response[Any]:
    error = BadToken("This link is not complete: open it from the mail again.", field="token")
    return _page(400, _BAD) if _reads_html(request) else Response(failure(error), status_code=400)


def _reads_html(request: Call) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _page(status: int, said: tuple[str, str]) -> Response[Any]:
    title, text = said
    return Response(
        _PAGE.format(title=title, text=text), status_code=status, headers=_HEADERS, media_type=MediaType.HTML
    )
