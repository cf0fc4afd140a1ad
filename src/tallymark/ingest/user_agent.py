"""What a user agent string says: kind of device, browser, operating system, or which bot.

A **bot** is whatever acts without a person before it: crawlers, AI fetchers, feed readers, HTTP libraries,
headless browsers, monitors, link previews. It is recognised, first match wins, by

1. a token of `data/bots.csv` in the lower-case string; of several the leftmost, then the longest, names it;
2. a word that ends as only bots' names do (…bot, …crawler, …spider): that word;
3. an address to read about it or to write to, which browsers don't carry (but old toolbars of Internet
   Explorer do): what the string calls itself.

Apps' network stacks (CFNetwork, Dalvik, okhttp) are not bots: a person holds the telephone.

An empty string says nothing, and `describe("")` is `UNKNOWN`: an SDK's server side may send none. Who knows
that only browsers should call (an access log's reader) passes `NO_USER_AGENT`, the bot of that name.

Browser and system are families without version; variants of one product (Chrome Mobile, Chrome Mobile iOS)
are one family, Linux distributions are Linux, '' is unknown. A bot has its name and nothing else: its device
is `other`, because what it pretends to be is nobody's device.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal, get_args

from ua_parser import parse_os, parse_user_agent

Device = Literal["desktop", "mobile", "tablet", "tv", "console", "other"]
DEVICES: Final[tuple[Device, ...]] = get_args(Device)

LONGEST: Final = 512  # characters that are read; no browser sends more
NO_USER_AGENT: Final = "no user agent"


@dataclass(frozen=True, slots=True)
class Agent:
    """What a user agent string says. `bot` is '' for people's browsers and apps."""

    device: Device
    browser: str
    os: str
    bot: str


UNKNOWN: Final = Agent("other", "", "", "")

#: A browser where no person sits.
DATA_CENTRE: Final = Agent("other", "", "", "data centre")

#: Bots that are libraries by which programs speak HTTP: as a reader they are bots, as a sender of events they are
#: somebody's backend.
LIBRARIES: Final = frozenset(
    {
        ".NET", "Apache-HttpClient", "Bun", "Deno", "Go-http-client", "Guzzle", "HTTParty", "HTTPie", "Indy Library",
        "Insomnia", "Java", "LWP", "LWP::Simple", "Mechanize", "Node.js", "PHP", "Postman", "PowerShell", "PycURL",
        "Python", "Python-urllib", "RestSharp", "Ruby", "Symfony HttpClient", "Typhoeus", "Unirest", "Wget", "aiohttp",
        "axios", "curl", "electron-fetch", "fasthttp", "go-resty", "got", "http.rb", "hyper", "k6", "libwww-perl",
        "node-fetch", "python-httpx", "python-requests", "request", "reqwest", "rest-client", "superagent", "undici",
        "wrk",
    }
)  # fmt: skip

# What ends a bot's name; "cubot" makes telephones.
_BOT_ENDING = re.compile(
    r"(?:(?<!cu)bots?|crawl(?:er)?s?|spiders?|checker)(?![a-z])"
    r"|scraper|archiver|fetcher|monitoring|link ?preview|rss ?reader|feed ?reader"
)
_WORD_BEFORE = re.compile(r"[\w!.-]*\Z")
_BOT_ADDRESS = re.compile(r"https?://|\+www\.|\w@\w")
_FIRST_PRODUCT = re.compile(r"[\w!.'-]+(?: [A-Za-z][\w!.'-]*){0,2}")
_COMPATIBLE = re.compile(r"compatible; *([^;/+)]+)", re.IGNORECASE)

# Words that name a kind of device in the lower-case string, asked in this order.
_DEVICE_WORDS: Final[tuple[tuple[re.Pattern[str], Device], ...]] = (
    (re.compile(r"playstation|xbox|nintendo"), "console"),
    (
        re.compile(
            r"smart-?tv|\btv\b|googletv|appletv|hbbtv|netcast|web0s|\baft[a-z0-9]+\b|\broku|crkey|bravia|viera"
            r"|aquos|vizio|inettv|ce-html|\bdtv\b|mibox"
        ),
        "tv",
    ),
    (re.compile(r"oculus|quest [23p]|\bwatch"), "other"),
    (
        re.compile(
            r"ipad|tablet(?! pc)|playbook|kindle|\bkf[a-z]{2,5}\b|silk/(?!.*mobile)|\bsm-[tpx]\d|xoom"
            r"|nexus (?:7|9|10)\b"
        ),
        "tablet",
    ),
    (
        re.compile(
            r"iphone|ipod|mobi|phone|blackberry|\bbb10|opera mini|symbian|series ?60|symbos|midp|j2me"
            r"|up\.browser|docomo|kaios|nokia|\bpalm|maemo|meego|bada/|ucweb|dalvik|okhttp/|instagram"
        ),
        "mobile",
    ),
)
_DESKTOP = re.compile(r"windows|macintosh|mac os x|mac_powerpc|x11|linux|cros|bsd|sunos|haiku|os/2|darwin")

# ua-parser's families that are one product, or that people know by another name.
_BROWSERS: Final[Mapping[str, str]] = {
    "Other": "",
    "Android": "Android Browser",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Desktop": "Chrome",
    "Chrome Mobile WebView": "Android WebView",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "iOS WebView",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Firefox (Minefield)": "Firefox",
    "Firefox Alpha": "Firefox",
    "Firefox Beta": "Firefox",
    "Firefox Focus": "Firefox Focus",
    "Edge Mobile": "Edge",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "IE Large Screen": "Internet Explorer",
    "Opera Mobile": "Opera",
    "Opera Touch": "Opera",
    "Opera Neon": "Opera",
    "Opera Tablet": "Opera",
    "Brave Mobile": "Brave",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Yandex Browser": "Yandex",
    "Amazon Silk": "Silk",
    "Vivaldi Mobile": "Vivaldi",
    "UC Browser": "UC Browser",
    "QQ Browser Mobile": "QQ Browser",
    "NetFront NX": "NetFront",
    "Google": "Google App",
}
_SYSTEMS: Final[Mapping[str, str]] = {
    "Other": "",
    "Mac OS X": "macOS",
    "Mac OS": "macOS",
    "iPadOS": "iOS",
    "ATV OS X": "tvOS",
    "Windows Phone": "Windows Phone",
    "BlackBerry OS": "BlackBerry",
    "BlackBerry Tablet OS": "BlackBerry",
    **dict.fromkeys(("Arch Linux", "CentOS", "Debian", "Fedora", "Gentoo", "Kubuntu", "Linux Mint"), "Linux"),
    **dict.fromkeys(("Mageia", "Mandriva", "Mint", "openSUSE", "PCLinuxOS", "Puppy", "Red Hat"), "Linux"),
    **dict.fromkeys(("Slackware", "SUSE", "Ubuntu", "VectorLinux"), "Linux"),
}


@lru_cache(maxsize=8192)
def describe(user_agent: str) -> Agent:
    """What the string says of whoever sent it; `UNKNOWN` for an empty one."""
    text = user_agent[:LONGEST].strip()
    if not text or text == "-":
        return UNKNOWN
    if text == NO_USER_AGENT:
        return Agent("other", "", "", NO_USER_AGENT)
    lowered = text.lower()
    if bot := _bot(text, lowered):
        return Agent("other", "", "", bot)
    browser, system = parse_user_agent(text), parse_os(text)
    family = browser.family if browser else ""
    os = system.family if system else ""
    return Agent(_device(lowered, os), _BROWSERS.get(family, family), _SYSTEMS.get(os, os), "")


def _bot(text: str, lowered: str) -> str:
    """The bot's name, '' if a person's."""
    tokens = [token for token in _bots() if token in lowered]
    if tokens:
        return _bots()[min(tokens, key=lambda token: (lowered.find(token), -len(token)))]
    ending = _BOT_ENDING.search(lowered)
    if ending:
        before = _WORD_BEFORE.search(text, 0, ending.start())
        return text[before.start() if before else 0 : ending.end()].lstrip("-_. ")
    return _product(text) if "msie" not in lowered and _BOT_ADDRESS.search(lowered) else ""


def _product(text: str) -> str:
    """What a string calls itself: what stands after "compatible;", else its first words."""
    said = _COMPATIBLE.search(text)
    if said:
        return said[1].strip()
    first = _FIRST_PRODUCT.search(text)
    return first[0] if first else text


def _device(lowered: str, os: str) -> Device:
    """The kind of device that a browser's string names."""
    for pattern, device in _DEVICE_WORDS:
        if pattern.search(lowered):
            return device
    if os == "iOS":
        return "mobile"  # an app's own string: no iPad, so a telephone
    if "android" in lowered:
        return "tablet"  # browsers of Android telephones say "Mobile"
    return "desktop" if _DESKTOP.search(lowered) else "other"


@cache
def _bots() -> Mapping[str, str]:
    """The bot table: each token's name."""
    text = (files("tallymark.ingest") / "data" / "bots.csv").read_text(encoding="utf-8")
    return {row["token"]: row["name"] for row in csv.DictReader(text.splitlines())}


def sender(user_agent: str) -> Agent:
    """What sends events: as `describe`, but a program's HTTP library is `UNKNOWN`, since it is no visitor."""
    agent = describe(user_agent)
    return UNKNOWN if agent.bot in LIBRARIES else agent
