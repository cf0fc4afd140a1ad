"""Where a form's sender is sent back to: a page of its own origin or of one that is listed, and nowhere else."""

import re
from collections.abc import Collection, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from tallymark.ingest.page import LONGEST

#: What a form's field with the page to go to may be called; the first that is not empty counts.
FIELDS: Final = ("redirect", "_redirect", "redirectTo", "redirect_to", "next")

#: Scheme, host, port and the rest. No user, no escapes, nothing but ASCII: browsers read those in too many ways.
_ABSOLUTE = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?=[/?#]|\Z)", re.I | re.A)
_PATH = re.compile(r"/(?!/)")
#: Browsers drop control characters and spaces, and read a backslash as a slash.
_NEVER = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_AS_IT_IS = "%!#$&'()*+,/:;=?@[]~"


@dataclass(frozen=True)
class Target:
    """Where to: `location` for a 303, or None. `refused` where the page that was asked for is not allowed."""

    location: str | None = None
    refused: bool = False
    allowed: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """What an answer says of a refused target."""
        return {"error": "redirect_not_allowed", "allowed": list(self.allowed)}


def requested_in(fields: MutableMapping[str, Any]) -> str | None:
    """The page that a form's fields ask for, taken out of them."""
    found = [fields.pop(name, None) for name in FIELDS]
    return next((text for text in found if isinstance(text, str) and text), None)


def target_of(requested: str | None, origin: str, referer: str, allowed: Collection[str]) -> Target:
    """The page to send the browser to with 303.

    `requested` is an absolute address or a path, `origin` and `referer` are the request's headers, `allowed` the
    origins of CORS_ALLOWED_ORIGINS, of which `*` allows none. Without `requested` it is the page the form is on.
    """
    page = origin_of(origin) or origin_of(referer)
    listed = {own for own in map(origin_of, allowed) if own}
    if page:
        listed.add(page)
    wanted = requested or referer
    location = _location(wanted, page, listed)
    if location is None and requested:
        return Target(refused=True, allowed=(*sorted(listed), *(["/path"] if page else [])))
    return Target(location)


def origin_of(address: str) -> str:
    """Scheme, host and port of an address as browsers write an origin; '' for what has none, `null` too."""
    found = None if _NEVER.search(address) else _ABSOLUTE.match(address)
    if found is None:
        return ""
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    if port is None or int(port) == _DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}" if int(port) <= 65_535 else ""


def _location(wanted: str, page: str, listed: Collection[str]) -> str | None:
    """The address in ASCII, absolute; None for one that is not allowed."""
    if len(wanted) > LONGEST or _NEVER.search(wanted):
        return None
    if _PATH.match(wanted):
        return page + quote(wanted, safe=_AS_IT_IS) if page else None
    return quote(wanted, safe=_AS_IT_IS) if origin_of(wanted) in listed else None
