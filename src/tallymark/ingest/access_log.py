"""Web servers' access logs: what a line of the common or combined format says, and the kind of request.

A line is `[vhost] ip ident user [time] "request" status size ["referrer" "user agent"] [more]`. Apache and
nginx write `\\"`, `\\\\` and `\\xHH` inside the quotes; "-" stands for nothing.

The **kind** of a request, first match wins: its outcome, then what was asked for, then who asked.

1. `not_get`: a method other than GET (HEAD, POST, OPTIONS …), or no readable request at all
2. `failed`: status 400 and above, or below 200
3. `redirect`: 3xx but 304, for which the browser shows its own copy: a view like any other
4. `feed`: a subscription: names ending in .rss, .atom, .rdf; index.xml, feed.xml, feed.json and their like; a
   last step feed, feeds, rss or atom (`/blog/feed/`); a query with flav=, feed=, format= or type= rss, atom …
5. `asset`: names ending as styles, scripts, pictures, fonts, sound, film, archives, office documents or
   machine-read text do (`ASSETS`: .css, .png, .pdf, .xml, .txt, so robots.txt and favicon.ico too), and what
   lies under `/.well-known/`
6. `bot`: the user agent is a bot's, or none was sent (a line of the common format doesn't tell: a page)
7. `page`: all else
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

from tallymark.ingest.user_agent import describe

RequestKind = Literal["page", "feed", "asset", "bot", "failed", "redirect", "not_get"]
REQUEST_KINDS: Final[tuple[RequestKind, ...]] = get_args(RequestKind)

_ASSET_EXTENSIONS: Final = """
    css js mjs cjs map wasm png jpg jpeg jpe jfif gif svg svgz webp avif apng ico cur bmp tif tiff heic
    woff woff2 ttf otf eot mp3 mp4 m4a m4v webm ogg oga ogv opus wav flac aac mov avi mkv flv swf m3u8 ts
    zip gz tgz bz2 xz zst 7z rar tar jar war exe msi dmg pkg deb rpm apk ipa iso bin gem whl
    pdf doc docx odt rtf xls xlsx ods csv ppt pptx odp epub mobi ps
    txt xml xsl xslt json jsonld webmanifest manifest yml yaml log asc sig pem crt
"""
ASSETS: Final = frozenset(_ASSET_EXTENSIONS.split())


class LogLine(NamedTuple):
    """One request of an access log; '' is what the line left out or wrote as "-"."""

    ip: str
    user: str
    time: int  # epoch milliseconds, UTC
    method: str  # '' if the request is not readable as one
    target: str  # path and query as sent, or the whole request if it is not readable
    protocol: str
    status: int
    size: int | None  # bytes sent
    referrer: str
    user_agent: str | None  # None: the common format has none to tell


def _line_pattern(quoted: str) -> re.Pattern[str]:
    """The pattern of a whole line, given that of a quoted field. Possessive: no character is tried twice."""
    return re.compile(
        r"(?:\S++ (?=[\da-fA-F]*+[.:][\da-fA-F.:]*+ ))?"  # a virtual host, if an address follows
        r"(\S++) \S++ (\S++(?: [^\[\s]\S*+)*+) "
        r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:[0-2]\d:[0-5]\d:[0-6]\d [+-]\d{4})\] "
        rf'"(?:([A-Z]++) ([^"\\ ]++) (HTTP/[\d.]++)"|{quoted}") (\d{{3}}) (\d++|-)'
        rf'(?: "{quoted}" "{quoted}(?:"|$))?'  # a line cut short may end within the user agent
        r"(?:\s|$)",
        re.ASCII,
    )


_PLAIN = _line_pattern(r'([^"]*+)')  # for a line without a backslash, and half again as fast
_WITH_ESCAPES = _line_pattern(r'([^"\\]*+(?:\\.[^"\\]*+)*+)')
_ESCAPE = re.compile(r"((?:\\x[\da-fA-F]{2})+)|\\(.)", re.ASCII)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_FEED_PATH = re.compile(
    r"\.(?:rss|atom|rdf)$|/(?:feeds?|rss2?|atom)/?$|/(?:index|feed|rss|rss2|atom|blog)\.xml$|/feed\.json$",
    re.IGNORECASE,
)
_FEED_QUERY = re.compile(r"(?:^|&)(?:flav|feed|format|type)=(?:rss|atom|rdf|feed)", re.IGNORECASE)
_FAILED: Final = 400


def parse_line(line: str) -> LogLine | None:
    """What the line says; None if it is no line of an access log."""
    escaped = "\\" in line
    match = (_WITH_ESCAPES if escaped else _PLAIN).match(line)
    if match is None:
        return None
    ip, user, stamp, method, target, protocol, odd, status, size, referrer, agent = match.groups()
    try:
        time = _epoch_ms(stamp)
    except ValueError:  # the 31st of February
        return None
    if method is None:
        method, target, protocol = _request(_text(odd))
    if escaped:
        user, referrer, agent = _text(user), _text(referrer or ""), agent and _text(agent)
    return LogLine(
        ip,
        "" if user == "-" else user,
        time,
        method,
        target,
        protocol,
        int(status),
        None if size == "-" else int(size),
        "" if referrer is None or referrer == "-" else referrer,
        "" if agent == "-" else agent,
    )


def kind(line: LogLine) -> RequestKind:
    """What kind of request the line was, by the rules above."""
    if line.method != "GET":
        return "not_get"
    if line.status >= _FAILED or line.status < 200:
        return "failed"
    if line.status >= 300 and line.status != 304:
        return "redirect"
    asked = _asked_for(line.target)
    if asked != "page":
        return asked
    return "bot" if line.user_agent is not None and _is_bot(line.user_agent) else "page"


def _is_bot(user_agent: str) -> bool:
    """Whether a program asked: every browser sends a user agent."""
    return not user_agent or describe(user_agent).bot != ""


@lru_cache(maxsize=8192)
def _asked_for(target: str) -> Literal["feed", "asset", "page"]:
    """What the target is by its name."""
    path, _, query = target.partition("?")
    if _FEED_PATH.search(path) or _FEED_QUERY.search(query):
        return "feed"
    name = path.rpartition("/")[2]
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return "asset" if extension in ASSETS or "/.well-known/" in path else "page"


def _request(request: str) -> tuple[str, str, str]:
    """Method, target, protocol of an odd request: HTTP/0.9 has no protocol, no request is all target."""
    if request == "-":
        return "", "", ""
    method, _, rest = request.partition(" ")
    if not rest or not method.isupper():
        return "", request, ""
    target, _, protocol = rest.rpartition(" ")
    return (method, target, protocol) if protocol.startswith("HTTP/") else (method, rest, "")


def _text(quoted: str) -> str:
    """A field without its escapes."""
    return _ESCAPE.sub(_unescaped, quoted)


def _unescaped(match: re.Match[str]) -> str:
    """The characters that an escape stands for; neighbouring \\xHH are bytes of one UTF-8 text."""
    coded, single = match.groups()
    if coded:
        return bytes.fromhex(coded.replace("\\x", "")).decode("utf-8", "replace")
    return _CONTROL.get(single, single)


@lru_cache(maxsize=4096)
def _epoch_ms(stamp: str) -> int:
    """Epoch milliseconds of "17/May/2015:10:05:03 +0000"."""
    hours, minutes, seconds = int(stamp[12:14]), int(stamp[15:17]), int(stamp[18:20])
    if hours > 23:
        raise ValueError(stamp)
    ahead = int(stamp[22:24]) * 3600 + int(stamp[24:26]) * 60
    local = _midnight(stamp[:11]) + hours * 3600 + minutes * 60 + seconds
    return (local + ahead if stamp[21] == "-" else local - ahead) * 1000


@lru_cache(maxsize=512)
def _midnight(day: str) -> int:
    """Epoch seconds at which "17/May/2015" starts in UTC."""
    start = datetime(int(day[7:11]), _MONTHS.index(day[3:6]) + 1, int(day[:2]), tzinfo=UTC)
    return int(start.timestamp())
