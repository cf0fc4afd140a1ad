"""Where a visit comes from: a channel out of a closed set, and the name of the source.

The rules, first match wins. They follow what people know from GA4's default channel groups and Plausible:

1. **Tags.** A link's own tags (utm_source, utm_medium, an ad click id) say more than the referrer, so a
   tagged visit is judged by them. The *source* is utm_source, or without one the referrer, looked up in the
   table.
   a. medium display, banner, expandable, interstitial, cpm -> display
   b. a paid medium (contains cpc, cpa, cpv, ppc or retarget, starts with paid) or an ad click id: by the
      source's channel: social -> paid_social; video, display and affiliate stay what they are; all else
      -> paid_search, for the click ids are those of search ads
   c. medium email, e-mail, newsletter … -> email; social, social-network, sm … -> social; affiliate(s) ->
      affiliate; organic -> organic_search; referral, app, link -> referral; contains video -> video; ends in
      push or contains notification -> push
   d. a source email, e-mail, newsletter … -> email
   e. a source that is in the table -> its channel (`utm_source=chatgpt.com` is an assistant)
   f. anything else -> other_campaign
2. **Own pages.** The referrer is the site itself, `www.` aside -> internal. Other subdomains are referrals.
3. **Referrer.** In the table -> its channel; else referral; none -> direct.

The table (`data/sources.csv`) knows hosts together with their subdomains, the longest entry wins:
mail.google.com is e-mail although google.* is search. `name.*` stands for the name under .com and all country
domains (google.de, google.co.uk). An Android app's id is read backwards as a host:
android-app://com.reddit.frontpage is Reddit.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal, cast, get_args

Channel = Literal[
    "direct",
    "organic_search",
    "paid_search",
    "social",
    "paid_social",
    "email",
    "referral",
    "ai_assistant",
    "display",
    "affiliate",
    "video",
    "push",
    "other_campaign",
    "internal",
]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)


@dataclass(frozen=True, slots=True)
class Source:
    """A visit's origin. `name` is '' for direct and internal, else what a person calls the source."""

    channel: Channel
    name: str


_DIRECT = Source("direct", "")
_INTERNAL = Source("internal", "")

_APP_SCHEME = "android-app://"
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})

_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_PAID = re.compile(r"cp[acv]|ppc|retarget|^paid")
_PAID_CHANNEL: Final[Mapping[Channel, Channel]] = {
    "social": "paid_social",
    "video": "video",
    "display": "display",
    "affiliate": "affiliate",
}
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail", "mail", "newsletter"})
_MEDIUM: Final[Mapping[str, Channel]] = {
    **dict.fromkeys(("affiliate", "affiliates"), "affiliate"),
    **dict.fromkeys(_EMAIL, "email"),
    **dict.fromkeys(
        ("social", "social-network", "social-media", "sm", "social network", "social media", "social_media"),
        "social",
    ),
    **dict.fromkeys(("organic", "organic_search"), "organic_search"),
    **dict.fromkeys(("referral", "app", "link"), "referral"),
}


@lru_cache(maxsize=16_384)
def classify(referrer_host: str, own_host: str, utm_source: str, utm_medium: str, has_ad_click_id: bool) -> Source:
    """The visit's source; '' where a thing is absent. Case doesn't matter, a port is ignored."""
    host = _bare_host(referrer_host)
    known = _by_host(host) if host else None
    if utm_source.strip() or utm_medium.strip() or has_ad_click_id:
        return _tagged(known, host, utm_source.strip(), utm_medium.strip().lower(), has_ad_click_id)
    if not host:
        return _DIRECT
    if host == _bare_host(own_host):
        return _INTERNAL
    return known or Source("referral", host)


def _tagged(known: Source | None, host: str, source: str, medium: str, ad_click: bool) -> Source:
    """Rule 1: the source that the tags name, in the channel that they say."""
    named = _by_tag(source.lower()) if source else known
    name = named.name if named else source or host
    channel = named.channel if named else "other_campaign"
    if medium in _DISPLAY:
        return Source("display", name)
    if ad_click or _PAID.search(medium):
        return Source(_PAID_CHANNEL.get(channel, "paid_search"), name)
    return Source(_by_medium(medium) or ("email" if source.lower() in _EMAIL else channel), name)


def _by_medium(medium: str) -> Channel | None:
    """The channel that an unpaid medium says by itself."""
    if "video" in medium:
        return "video"
    if medium.endswith("push") or "notification" in medium:
        return "push"
    return _MEDIUM.get(medium)


def _by_tag(source: str) -> Source | None:
    """The known source that a lower-case utm_source means: an alias ('fb') or a host."""
    return _table().aliases.get(source) or (_by_host(_bare_host(source)) if "." in source else None)


def _bare_host(host: str) -> str:
    """The host in lower case without port, final dot and `www.`; an app's id turned into a host."""
    lowered = host.strip().lower()
    if lowered.startswith(_APP_SCHEME):
        labels = lowered.removeprefix(_APP_SCHEME).partition("/")[0].split(".")
        return ".".join(reversed(labels))
    if not lowered.startswith("["):
        lowered = lowered.partition(":")[0]
    return lowered.rstrip(".").removeprefix("www.")


@lru_cache(maxsize=16_384)
def _by_host(host: str) -> Source | None:
    """The table's longest entry that is the host or a domain above it."""
    table = _table()
    return next((table.hosts[key] for key in _keys(host) if key in table.hosts), None)


def _keys(host: str) -> Iterator[str]:
    """What the host may stand under in the table, most specific first: a.b.co.uk, a.b.*, b.co.uk, b.* …"""
    labels = host.split(".")
    stem = len(labels) - _suffix_length(labels)
    for place in range(len(labels) - 1):
        yield ".".join(labels[place:])
        if place < stem < len(labels):
            yield ".".join([*labels[place:stem], "*"])


def _suffix_length(labels: list[str]) -> int:
    """How many last labels `*` stands for: 1 for com or a country, 2 for co.uk and its like, else 0."""
    *rest, last = labels
    if last == "com":
        return 1
    if len(last) != 2:
        return 0
    return 2 if len(rest) > 1 and rest[-1] in _SECOND_LEVEL else 1


@dataclass(frozen=True, slots=True)
class _Table:
    hosts: Mapping[str, Source]
    aliases: Mapping[str, Source]


@cache
def _table() -> _Table:
    """The source table: by host, and by the words that people write into utm_source."""
    hosts: dict[str, Source] = {}
    aliases: dict[str, Source] = {}
    text = (files("tallymark.ingest") / "data" / "sources.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        source = Source(cast(Channel, row["channel"]), row["name"])
        hosts[row["host"]] = source
        aliases |= dict.fromkeys(row["aliases"].split(), source)
    return _Table(hosts, aliases)
