"""Signed requests: what is one, and what is not; and addresses that may send."""

import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallymark.config import load
from tallymark.engine.base import Engine
from tests.packs.voice.assistant import NOON, PATH, Assistant, event
from tests.packs.world import application, bearer
from tests.server import RunningServer

HEADER = "X-Tallymark-Signature"
OLD, NEW = "the-old-secret", "the-new-secret"
AT = int(NOON.timestamp())


def signature(body: bytes, target: str, secret: str = NEW, at: int = AT, method: str = "POST") -> str:
    """What a sender signs: the time, the method, the path with its query, and the body."""
    text = f"{at}.{method} {target}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def body_of(query_id: str) -> bytes:
    return json.dumps(event("query", query_id)).encode()


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Assistant]:
    """An application that takes signed requests only, by either of two secrets, and a project of it."""
    data = tmp_path_factory.mktemp("signed")
    with application(data, engine, NOON, voice_capture="signed", voice_signing_secrets=(OLD, NEW)) as world:
        yield Assistant(world).fresh()


def send(assistant: Assistant, body: bytes, header: str | None, target: str = "", **headers: str) -> httpx.Response:
    given = httpx.Headers({**headers, **({} if header is None else {HEADER: header})}, encoding="utf-8")
    assistant.application.clock.now = NOON
    return assistant.application.client.post(target or target_of(assistant), content=body, headers=given)


def target_of(assistant: Assistant) -> str:
    return f"{PATH}?project={assistant.name}"


def refused(answer: httpx.Response, says: str) -> bool:
    told = answer.json()
    return (answer.status_code, told["success"], told["error"]) == (401, False, "unauthorized") and (
        says in told["message"]
    )


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_signed_request_is_taken_by_either_secret(signed: Assistant, secret: str) -> None:
    body = body_of(f"q-{secret}")
    answer = send(signed, body, signature(body, target_of(signed), secret))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_without_a_signature_nothing_is_taken_though_a_key_is_given(signed: Assistant) -> None:
    for headers in ({}, bearer(signed.keys["ingest"])):
        answer = send(signed, body_of("q"), None, **headers)
        assert refused(answer, "signed")
        assert answer.json()["field"] == HEADER.lower()


def test_what_was_changed_on_the_way_is_refused(signed: Assistant) -> None:
    body, target = body_of("q-tampered"), target_of(signed)
    good = signature(body, target)
    wrong = [
        (signature(body, target, "another-secret"), body, target),
        (signature(body, target, ""), body, target),
        (good, body + b" ", target),
        (good, body.replace(b"q-tampered", b"q-TAMPERED"), target),
        (good, body, f"{target}&x=1"),
        (good, body, PATH),
        (signature(body, PATH), body, target),
        (signature(body, target, method="PUT"), body, target),
        (good.replace(f"t={AT}", f"t={AT + 1}"), body, target),
        (good[:-1] + ("0" if good[-1] != "0" else "1"), body, target),
    ]
    assert all(refused(send(signed, sent, header, to), "fits") for header, sent, to in wrong)
    assert send(signed, body, good).status_code == 202


@pytest.mark.parametrize("off", [-301, 301, -86_400, 10**10, -AT])
def test_one_of_another_time_is_refused(signed: Assistant, off: int) -> None:
    body = body_of("q-late")
    assert refused(send(signed, body, signature(body, target_of(signed), at=AT + off)), "another time")


@pytest.mark.parametrize("off", [-300, 300])
def test_clocks_may_be_five_minutes_apart(signed: Assistant, off: int) -> None:
    body = body_of(f"q-{off}")
    header = signature(body, target_of(signed), at=AT + off)
    assert send(signed, body, header).status_code == 202
    assert refused(send(signed, body, header), "used already")


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", "t=,v1=", f"t={AT}", f"v1={'0' * 64}", f"v1={'0' * 64},t={AT}", f"t={AT},v1={'0' * 63}",
     f"t={AT},v1={'0' * 65}", f"t={AT},v1={'G' * 64}", f"t=-{AT},v1={'0' * 64}", f"t={AT}.5,v1={'0' * 64}",
     f"t={'9' * 13},v1={'0' * 64}", f"t=\u0663,v1={'0' * 64}", f"t={AT},v1={'0' * 64},v1=x"],
)  # fmt: skip
def test_a_header_of_another_form_is_refused(signed: Assistant, header: str) -> None:
    answer = send(signed, body_of("q"), header)
    assert refused(answer, "reads")
    assert answer.json()["field"] == HEADER.lower()


def test_a_request_counts_once_also_after_a_restart(engine: Engine, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"voice_capture": "signed", "voice_signing_secrets": (NEW,)}
    with application(tmp_path, engine, NOON, **settings) as world:
        assistant = Assistant(world).fresh()
        body, target = body_of("q-1"), target_of(assistant)
        header = signature(body, target)
        assert [send(assistant, body, header).status_code for _ in range(3)] == [202, 401, 401]
        again = signature(body, target, at=AT + 1)
        assert send(assistant, body, again).json()["accepted"] == 1
    with application(tmp_path, engine, NOON, **settings) as world:
        after = Assistant(world, assistant.name, assistant.keys)
        assert refused(send(after, body, header), "used already")
        after.application.clock.now = NOON + timedelta(seconds=300)
        assert refused(after.application.client.post(target, content=body, headers={HEADER: header}), "used already")
        after.application.clock.now = NOON + timedelta(seconds=300, milliseconds=1)
        assert refused(after.application.client.post(target, content=body, headers={HEADER: header}), "another time")
        assert len(after.stored()) == 1


def test_a_body_is_signed_before_it_is_compressed(signed: Assistant) -> None:
    body, target = body_of("q-packed"), target_of(signed)
    packed = gzip.compress(body)
    assert refused(send(signed, packed, signature(packed, target), **{"content-encoding": "gzip"}), "fits")
    assert send(signed, packed, signature(body, target), **{"content-encoding": "gzip"}).status_code == 202


def test_a_served_application_hears_the_same_target(tmp_path: Path) -> None:
    """Paths and queries with escapes, as they stand in the request."""
    settings = {"TALLYMARK_VOICE_CAPTURE": "signed", "TALLYMARK_VOICE_SIGNING_SECRETS": NEW}
    with RunningServer(tmp_path / "data", **settings) as server:
        key = server.project("with.dots", packs=["voice"])["ingest"]
        body = json.dumps({"event_type": "voice_query", "query_id": "q"}).encode()
        for target in (
            f"{PATH}?project=with%2Edots",
            f"{PATH}?project=with.dots&key={key}",
            f"{PATH}?key={key}&a=%20+",
        ):
            header = {HEADER: signature(body, target, at=int(time.time()))}
            answer = httpx.post(f"{server.url}{target}", content=body, headers=header, trust_env=False)
            assert (answer.status_code, answer.json()["accepted"]) == (202, 1), (target, answer.text)


def test_where_it_is_open_a_signature_that_is_given_is_looked_at(assistant: Assistant) -> None:
    body = body_of("q")
    for header in ("nonsense", signature(body, target_of(assistant), "")):
        assert send(assistant, body, header).status_code == 401
    assert send(assistant, body, None).status_code == 202


ALLOWED = "203.0.113.7, 2001:db8::/32, 10.0.0.0/8"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Assistant]:
    """An application behind two proxies that takes requests of some addresses."""
    data = tmp_path_factory.mktemp("proxied")
    allow = load({"TALLYMARK_VOICE_ALLOW": ALLOWED}, data / ".env").voice_allow
    with application(data, engine, NOON, voice_allow=allow, trusted_proxies=2) as world:
        yield Assistant(world).fresh()


@pytest.mark.parametrize(
    ("forwarded", "taken"),
    [
        ("203.0.113.7, 192.0.2.1", True),
        ("10.1.2.3, 192.0.2.1", True),
        ("::ffff:203.0.113.7, 192.0.2.1", True),
        ("2001:db8:1::5, 192.0.2.1", True),
        ("203.0.113.8, 192.0.2.1", False),
        ("::ffff:203.0.113.8, 192.0.2.1", False),
        ("2001:db9::5, 192.0.2.1", False),
        # what a client writes itself stands before what the proxies saw
        ("203.0.113.7, 198.51.100.9, 192.0.2.1", False),
        ("198.51.100.9, 203.0.113.7, 192.0.2.1", True),
        ("203.0.113.7", True),
        ("unknown, 192.0.2.1", False),
        ("", False),
        (None, False),
    ],
)
def test_only_addresses_on_the_list_may_send(proxied: Assistant, forwarded: str | None, taken: bool) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    answer = proxied.post(event("query"), headers=headers)
    assert answer.status_code == (202 if taken else 403), answer.text
    if not taken:
        assert (answer.json()["success"], answer.json()["error"]) == (False, "forbidden")
        key = proxied.post(event("query"), key=proxied.keys["ingest"], headers=headers)
        assert key.status_code == 403


def test_without_trusted_proxies_the_header_says_nothing(engine: Engine, tmp_path: Path) -> None:
    allow = load({"TALLYMARK_VOICE_ALLOW": ALLOWED}, tmp_path / ".env").voice_allow
    with application(tmp_path, engine, NOON, voice_allow=allow) as world:
        assistant = Assistant(world).fresh()
        assert assistant.post(event("query"), headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 403
