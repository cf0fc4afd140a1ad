"""Events as a site's clients send them, and requests of them whose bytes are made by one join.

Requests are built once, in pieces: between them comes a token, the same for every event of a request and another
one for each, so that no two events ever share an id and a load generator spends next to nothing on making them.
"""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

#: Stands where a request's token goes: sixteen bytes, as long as every token.
MARK = "0123456789abcdef"

TOKEN_BYTES = len(MARK)

_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
_NAMES = ("page_view", "page_view", "page_view", "click", "scroll", "form_start", "form_submit", "search")
_SECTIONS = ("blog", "docs", "pricing", "product", "features", "guides", "changelog", "jobs")
_REFERRERS = (
    "https://www.google.com/", "https://www.bing.com/search?q=metrics", "https://news.ycombinator.com/item?id=4242",
    "https://www.example.com/", "https://t.co/AbCdEf", "https://github.com/topics/analytics", "",
)  # fmt: skip
_CAMPAIGNS = ("", "", "", "?utm_source=newsletter&utm_medium=email&utm_campaign=spring", "?gclid=Cj0KCQ", "?page=2")

Pieces = Sequence[bytes]


def events(count: int, seed: int, visitors: int = 20_000) -> list[dict[str, object]]:
    """Events of about 400 bytes, of many visitors and pages, all of the last minutes; their ids hold the mark."""
    chance = random.Random(seed)
    now = time.time()
    return [_event(chance, place, now, visitors) for place in range(count)]


def _event(chance: random.Random, place: int, now: float, visitors: int) -> dict[str, object]:
    section = chance.choice(_SECTIONS)
    page = f"https://www.example.com/{section}/{int(chance.paretovariate(0.7)) % 2_000}"
    return {
        "event": chance.choice(_NAMES),
        "timestamp": _instant(now - chance.random() * 120),
        "eventId": f"{MARK}-{place:06x}",
        "visitorId": f"v-{chance.randrange(visitors):06d}-7f3a9c",
        "url": page + chance.choice(_CAMPAIGNS),
        "referrer": chance.choice(_REFERRERS),
        "properties": {
            "plan": chance.choice(("free", "pro", "team")),
            "ttfbMs": round(chance.lognormvariate(5, 0.6), 1),
            "lcpMs": round(chance.lognormvariate(7, 0.5), 1),
            "title": chance.choice(("Plans and prices for teams", "How we count what counts", "What is new")),
            "loggedIn": chance.random() < 0.3,
            "experiment": chance.choice(("hero-headline-2026-11", "checkout-steps-2026-10")),
        },
    }


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bodies(sent: Sequence[dict[str, object]], per_body: int) -> list[bytes]:
    """The events as bodies of `per_body` each; a body of one is the event itself."""
    groups = [sent[first : first + per_body] for first in range(0, len(sent) - per_body + 1, per_body)]
    return [msgspec.json.encode(group[0] if per_body == 1 else group) for group in groups]


def requests(plain: Sequence[bytes], port: int, key: str) -> list[Pieces]:
    """Whole HTTP requests in pieces, one for each body."""
    return [_pieces(body, port, key) for body in plain]


def _pieces(body: bytes, port: int, key: str) -> Pieces:
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {_AGENT}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head.encode() + body).split(MARK.encode())
