"""One reader of bodies: what is read, and what is refused, is the same for events and for leads."""

import gzip
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tallymark.errors import UnreadableBody
from tallymark.packs.web.form import MOST_PAIRS, pairs_of
from tests.packs.web.site import ADMIN, NAME, Site

ADA = "ada@example.org"
CURL = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=B"
#: A page view and a lead in one.
SAID = {"email": ADA, "eventType": "page_view", "propertyId": NAME}
JSON = msgspec.json.encode(SAID)
FORM = f"email=ada%40example.org&eventType=page_view&propertyId={NAME}".encode()


def part(text: str | bytes, disposition: str) -> bytes:
    told = text.encode() if isinstance(text, str) else text
    return b"--B\r\nContent-Disposition: form-data%b\r\n\r\n%b\r\n" % (disposition.encode(), told)


SENT = b"".join(part(text, f'; name="{name}"') for name, text in SAID.items())
END = b"--B--\r\n"


def answers(site: Site, body: bytes, kind: str, **headers: str) -> list[tuple[bool, str]]:
    """Whether a body is taken as events, and as a lead, and why not."""
    told = {"content-type": kind, **headers}
    both = [site.post(f"/{path}?propertyId={NAME}", content=body, headers=told) for path in ("events", "leads/capture")]
    return [(answer.status_code < 300, answer.json().get("message", "")) for answer in both]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (JSON, "application/json"), (JSON, "text/plain"), (JSON, ""), (JSON, CURL), (b" \n" + JSON, CURL),
        (b"\xef\xbb\xbf" + JSON, "application/json"), (b"\xef\xbb\xbf" + JSON, CURL),
        (JSON[:-1] + b', "n": "\\ud83d"}', CURL), (FORM, CURL), (FORM + b"&{=}", CURL), (b"[x]=1&" + FORM, CURL),
        (SENT + END, PARTS), (SENT + part(b"\xff", '; name="cv"; filename="cv.pdf"') + END, PARTS),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_both_take(site: Site, body: bytes, kind: str, pack: Callable[[bytes], bytes]) -> None:
    encoding = {"content-encoding": "gzip"} if pack is gzip.compress else {}
    assert answers(site, pack(body), kind, **encoding) == [(True, "")] * 2


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (FORM + b"&note=\xff", CURL, "UTF-8"), (FORM + b"&note=%ff", CURL, "UTF-8"),
        (SENT + part(b"\xff", '; name="note"') + END, PARTS, "UTF-8"),
        (SENT + part("x", "") + END, PARTS, "name"), (SENT + part("x", '; name=""') + END, PARTS, "name"),
        (SENT, PARTS, "end"), (SENT + END, "multipart/form-data", "boundary"),
        (FORM + b"&a" * 32_000, CURL, "200"), (SENT + part("x", '; name="a"') * 200 + END, PARTS, "200"),
        (JSON[:-1], "application/json", "JSON"), (b"", PARTS, ""),
    ],
)  # fmt: skip
def test_what_both_refuse(site: Site, body: bytes, kind: str, why: str) -> None:
    for taken, message in answers(site, body, kind):
        assert (taken, why.lower() in message.lower()) == (False, True), message


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/consent", {"purposes": {"ads": True}}), ("/unsubscribe/link", {}), ("/people/export", {}),
        ("/leads/delete", {}),
    ],
)  # fmt: skip
def test_json_as_curl_sends_it(site: Site, path: str, body: dict[str, Any]) -> None:
    site.capture(ADA)
    for mark in (b"", b"\xef\xbb\xbf"):
        sent = mark + msgspec.json.encode({"email": ADA, "propertyId": NAME, **body})
        answer = site.post(path, content=sent, headers={"content-type": CURL, "x-admin-key": ADMIN})
        assert answer.status_code == 200, answer.text
        site.capture(ADA)


def test_an_array_as_curl_sends_it(site: Site) -> None:
    body = msgspec.json.encode([SAID, SAID])
    answer = site.post("/events", content=body, headers={"content-type": CURL})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    answer = site.post("/leads/capture", content=body, headers={"content-type": CURL})
    assert "object" in answer.json()["message"]


def test_too_many_fields_are_refused() -> None:
    assert len(pairs_of(b"&".join([b"a"] * MOST_PAIRS), CURL)) == MOST_PAIRS
    with pytest.raises(UnreadableBody, match=str(MOST_PAIRS)):
        pairs_of(b"&".join([b"a"] * (MOST_PAIRS + 1)), CURL)
