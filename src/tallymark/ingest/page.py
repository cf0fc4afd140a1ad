"""What an address says: host, path and campaign. The rest of it, where names and tokens are, is dropped."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

LONGEST = 2_048

_CLICK_IDS = frozenset({"gclid", "gbraid", "wbraid", "msclkid", "dclid", "ttclid", "twclid", "li_fat_id"})


@dataclass(frozen=True, slots=True)
class Page:
    """The parts of an address that are kept. All are '' where the address has none."""

    host: str = ""
    path: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""
    ad_click: bool = False


NOWHERE = Page()


@lru_cache(maxsize=65_536)
def page_of(url: str) -> Page:
    """The page of an absolute or relative address; `NOWHERE` for what is none."""
    try:
        parts = urlsplit(url[:LONGEST])
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return NOWHERE
    path = parts.path if host or parts.path.startswith("/") else ""
    if "=" not in parts.query:
        return Page(host, path or "/")
    query = {name.lower(): value.strip()[:256] for name, value in parse_qsl(parts.query, max_num_fields=None)}
    return Page(
        host,
        path or "/",
        query.get("utm_source", query.get("ref", "")),
        query.get("utm_medium", ""),
        query.get("utm_campaign", ""),
        query.get("utm_term", ""),
        query.get("utm_content", ""),
        not _CLICK_IDS.isdisjoint(query),
    )


@lru_cache(maxsize=65_536)
def host_of(referrer: str) -> str:
    """The host of a referrer, without `www.`; apps keep their scheme: `android-app://org.telegram`."""
    try:
        parts = urlsplit(referrer[:LONGEST])
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}" if parts.scheme == "android-app" else host
