"""The class that `docs/client.md` shows for workers sends what it is given, in a real engine with WebCrypto."""

import hashlib
import hmac
import json
import re
from collections import deque
from pathlib import Path
from typing import Any

from tests.browser.collector import Answer, Received, serving
from tests.browser.conftest import OpenPage

PAGE = Path(__file__).parent.parent.parent / "docs" / "client.md"

GOOD = Answer(202, {"Content-Type": "application/json"}, b'{"accepted": 1, "rejected": []}')

PLAY = """async (add) => {
  const {VoiceEvents} = await import("/client.js");
  const events = new VoiceEvents(location.origin, {project: "aura", key: "tm_1", signingSecret: "hush"});
  const pending = [];
  const context = {waitUntil: (promise) => pending.push(promise)};
  new Function("events", "context", add)(events, context);
  while (pending.length) await pending.shift();
  return events.counts;
}"""


def client() -> str:
    """The first TypeScript of the page as JavaScript: its types are only after names, and in interfaces."""
    text = re.search(r"```ts\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    plain = re.sub(r"interface \w+ \{.*?\n\}\n", "", text[1], flags=re.DOTALL)
    plain = re.sub(r"^( +\w+): [^={}()\n,]+;$", r"\1;", plain, flags=re.MULTILINE)
    plain = re.sub(r"^( +(?:const )?\w+): [^=()\n]+ = ", r"\1 = ", plain, flags=re.MULTILINE)
    plain = re.sub(r"\): (?:void|Promise<.*>) \{$", ") {", plain, flags=re.MULTILINE)
    plain = plain.replace(".json<{ rejected?: unknown }>()", ".json()")
    types = r'string\[\]|string|number|object|Context|Options|Response|"voice_query" \| "voice_outcome"'
    return re.sub(rf"(\w+): (?:{types})(?=[,) =])", r"\1", plain)


class Site:
    """Hands out the class, and answers what it sends by `replies`, then with 202."""

    def __init__(self, *replies: Answer) -> None:
        self.replies = deque(replies)
        self.received: list[Received] = []

    def __call__(self, request: Received) -> Answer:
        if request.method == "POST":
            self.received.append(request)
            return self.replies.popleft() if self.replies else GOOD
        if request.path == "/client.js":
            return Answer(200, {"Content-Type": "text/javascript"}, client().encode())
        return Answer(200, {"Content-Type": "text/html"}, b"<!doctype html><link rel=icon href=data:><title>w</title>")

    def events(self) -> list[dict[str, Any]]:
        return [event for request in self.received for event in json.loads(request.body)]


def play(site: Site, open_page: OpenPage, add: str) -> dict[str, int]:
    """What is counted after `add`."""
    with serving(site) as address:
        page = open_page()
        page.goto(address)
        counts: dict[str, int] = page.evaluate(PLAY, add)
        page.goto("about:blank")
    return {name: count for name, count in counts.items() if count}


def test_batches_of_ten_and_the_rest(open_page: OpenPage) -> None:
    site = Site()
    add = "for (let n = 0; n < 23; n++) events.add('voice_query', {queryId: `q-${n}`}, context);"
    assert play(site, open_page, add) == {"accepted": 23}
    assert [len(json.loads(request.body)) for request in site.received] == [10, 10, 3]
    assert {event["queryId"] for event in site.events()} == {f"q-{n}" for n in range(23)}
    assert {event["event_type"] for event in site.events()} == {"voice_query"}
    for request in site.received:
        signature = dict(part.split("=") for part in _header(request, "X-Tallymark-Signature").split(","))
        said = f"{signature['t']}.POST /voice/ingest?project=aura.".encode() + request.body
        assert signature["v1"] == hmac.new(b"hush", said, hashlib.sha256).hexdigest()
        assert _header(request, "Authorization") == "Bearer tm_1"


def test_what_did_not_arrive_is_sent_again_and_is_the_same(open_page: OpenPage, errors: list[str]) -> None:
    site = Site(Answer(503), Answer(429, {"Retry-After": "1"}), Answer(202, {}, b'{"rejected": [{"index": 0}]}'))
    add = "events.add('voice_query', {queryId: 'a'}, context); events.add('voice_query', {queryId: 'b'}, context);"
    assert play(site, open_page, add) == {"accepted": 1, "rejected": 1}
    assert len(site.received) == 3
    assert len({request.body for request in site.received}) == 1
    assert [error.partition(":")[0] for error in errors] == ["Failed to load resource"] * 2
    errors.clear()


def test_what_is_refused_has_failed(open_page: OpenPage, errors: list[str]) -> None:
    site = Site(Answer(401))
    assert play(site, open_page, "events.add('voice_query', {}, context);") == {"failed": 1}
    assert len(site.received) == 1
    assert [error.partition(":")[0] for error in errors] == ["Failed to load resource"]
    errors.clear()


def test_what_can_not_be_told_or_kept_is_counted(open_page: OpenPage) -> None:
    site = Site()
    add = """
      events.add('voice_query', {n: 1n}, context);
      for (let n = 0; n < 9; n++) events.add('voice_outcome', {n}, context);
      const flush = events.flush;
      events.flush = async () => {};
      for (let n = 9; n < 1003; n++) events.add('voice_outcome', {n}, context);
      events.flush = flush;
    """
    assert play(site, open_page, add) == {"accepted": 1_000, "dropped": 3, "invalid": 1}


def _header(request: Received, name: str) -> str:
    return next(value for known, value in request.headers.items() if known.lower() == name.lower())
