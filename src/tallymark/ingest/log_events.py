"""From lines of an access log to events as they are sent: one event a request.

| kind (`access_log`) | event | properties |
|---|---|---|
| `page`, `bot` | `page_view` | `status` |
| any other | `request` | `kind`, `status`, `method` |

A bot's view is a page view that the pipeline marks by its user agent; where a log has user agents and a
request has none, the user agent is `NO_USER_AGENT`, which marks it too. The visitor is address and user
agent together.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

from tallymark.ingest.access_log import LogLine, RequestKind, kind, parse_line
from tallymark.ingest.user_agent import NO_USER_AGENT

#: An event as `/v1/events` takes it: the fields of `decode.WireEvent` by their names in JSON.
Wire = dict[str, Any]

#: An entry's number in its file, from 1, and its event; None: the entry is malformed.
Numbered = tuple[int, Wire | None]

_REMEMBERED: Final = 4_000_000
_HOUR_MS: Final = 3_600_000


class Occurrences:
    """The identity of each entry of one stream: a digest of its content, and how often that came before.

    So a stream read again gives the same identities, and equal entries of one stream different ones. Where
    entries have a period (the hour of a log's line), no more than `remembered` are: beyond, whole periods
    are forgotten, first those that were not met for longest.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._room = remembered
        self._period = 0
        self._seen: dict[str, int] = {}
        self._periods = {self._period: self._seen}

    def identity(self, content: bytes, period: int = 0) -> str:
        """The entry's identity; equal contents are looked for within the period only."""
        if period != self._period:
            self._turn_to(period)
        digest = blake2b(content, digest_size=12).hexdigest()
        before = self._seen.get(digest, 0)
        self._seen[digest] = before + 1
        if before:
            return f"{digest}-{before}"
        self._room -= 1
        return digest

    def _turn_to(self, period: int) -> None:
        self._period, self._seen = period, self._periods.pop(period, {})
        self._periods[period] = self._seen
        while self._room < 0 and len(self._periods) > 1:
            self._room += len(self._periods.pop(next(iter(self._periods))))


class LogEvents:
    """Reads access logs of one site. `kinds` counts the requests read.

    `host` makes the pages' addresses absolute; without it, links from page to page look like links from
    elsewhere.
    """

    def __init__(self, host: str = "") -> None:
        self.kinds: Counter[RequestKind] = Counter()
        self._site = (host if "://" in host or not host else f"https://{host}").rstrip("/")

    def read(self, lines: Iterable[bytes]) -> Iterator[Numbered]:
        """The event of each line of one file, None for what is no line of a log; empty lines are skipped."""
        occurrences = Occurrences()
        for number, raw in enumerate(lines, 1):
            content = raw.rstrip()
            if not content:
                continue
            line = parse_line(content.decode("utf-8", "replace"))
            if line is None:
                yield number, None
            else:
                yield number, self._event(line, occurrences.identity(content, line.time // _HOUR_MS))

    def _event(self, line: LogLine, identity: str) -> Wire:
        what = kind(line)
        self.kinds[what] += 1
        event: Wire = {
            "timestamp": line.time,
            "eventId": identity,
            "visitorId": f"{line.ip} {line.user_agent}" if line.user_agent else line.ip,
            "ip": line.ip,
        }
        if what in ("page", "bot"):
            event["event"] = "page_view"
            event["properties"] = {"status": line.status}
        else:
            event["event"] = "request"
            event["properties"] = {"kind": what, "status": line.status, "method": line.method}
        if line.user_agent is not None:
            event["userAgent"] = line.user_agent or NO_USER_AGENT
        if line.referrer:
            event["referrer"] = line.referrer
        if url := self._url(line.target):
            event["url"] = url
        return event

    def _url(self, target: str) -> str:
        """The address asked for, '' where the request names none. After two slashes a host would be read."""
        if target.startswith("/"):
            return self._site + (target if not target.startswith("//") else "/" + target.lstrip("/"))
        return target if target.startswith(("http://", "https://")) else ""
