"""The address of an event's page: the sender's, completed by what the request says of where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Final, Protocol
from urllib.parse import quote

from tallymark.ingest.page import LONGEST
from tallymark.packs.redirect import origin_of

_TAGS: Final = ("source", "medium", "campaign", "term", "content")
_tagged = attrgetter("utm", *(f"utm_{tag}" for tag in _TAGS))
_SPELLINGS: Final = tuple((tag, f"utm_{tag}", f"utm{tag.capitalize()}") for tag in _TAGS)
_UNTAGGED: Final = (None,) * (1 + len(_TAGS))
_LONGEST_TAG: Final = 256


class Addressed(Protocol):
    """What an event says of its page."""

    url: str | None
    path: str | None
    utm: dict[str, str | None] | None


@dataclass(frozen=True)
class Surroundings:
    """What a request says of its events: the page that sent it and its origin, and whether a server relays it.

    `trusted`: it has an admin key, so that it is believed what it says of people.
    """

    page: str = ""
    origin: str = ""
    relayed: bool = False
    trusted: bool = False


def surroundings(origin: str, referer: str, relayed: bool, trusted: bool = False) -> Surroundings:
    """Those that a request's headers tell of; '' is no header."""
    page = referer if origin_of(referer) else ""
    return Surroundings(page, origin_of(origin) or origin_of(page), relayed, trusted)


def address_of(event: Addressed, around: Surroundings) -> str | None:
    """The page's address with the campaign that the event names; None for no page."""
    url = _completed(event.url or "", around.origin) or _of_path(event.path or "", around.origin) or around.page
    if _tagged(event) != _UNTAGGED:
        url = _with_tags(url, _tags(event))
    return url[:LONGEST] or None


def _completed(url: str, origin: str) -> str:
    """An address of the site itself gets the site's host."""
    return origin + url if url[:1] == "/" and url[:2] != "//" else url


def _of_path(path: str, origin: str) -> str:
    if not path or path.startswith(("http://", "https://")):
        return path
    return f"{origin}/{path.lstrip('/')}"


def _tags(event: Addressed) -> str:
    """The campaign as a query."""
    nested, *flat = _tagged(event)
    if nested:
        flat = [text or _first(nested, names) for text, names in zip(flat, _SPELLINGS, strict=True)]
    return _query(*[text[:_LONGEST_TAG] if text else "" for text in flat])


def _first(nested: Mapping[str, str | None], names: tuple[str, ...]) -> str | None:
    return next((nested[name] for name in names if nested.get(name)), None)


@lru_cache(maxsize=4_096)
def _query(*texts: str) -> str:
    return "&".join(f"utm_{tag}={quote(text, safe='')}" for tag, text in zip(_TAGS, texts, strict=True) if text)


def _with_tags(url: str, tags: str) -> str:
    """The address with the tags last, where they win, and within what is read of an address."""
    if not tags:
        return url
    where, _, query = url.partition("#")[0].partition("?")
    room = LONGEST - len(tags) - 2
    where = where[: max(room, 0)]
    query = query[: max(room - len(where), 0)]
    return f"{where}?{query}&{tags}" if query else f"{where}?{tags}"
