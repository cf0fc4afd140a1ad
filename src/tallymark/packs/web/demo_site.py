"""The demo's site and its visitors, as tables: where they come from, what they carry, where they go next."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")


def spread(weights: Mapping[T, float], scale: int = 1) -> tuple[T, ...]:
    """Things as often as they weigh, so that one is drawn by its place alone."""
    return tuple(thing for thing, weight in weights.items() for _ in range(round(weight * scale)))


class Country(NamedTuple):
    """Where visitors are: how many of them, in which time zone, at which addresses (`block`.x.y)."""

    weight: float
    code: str
    zone: str
    block: str


COUNTRIES: Final = (
    Country(15, "US", "America/New_York", "73.92"), Country(7, "US", "America/Chicago", "174.45"),
    Country(9, "US", "America/Los_Angeles", "98.210"), Country(13, "DE", "Europe/Berlin", "91.12"),
    Country(9, "GB", "Europe/London", "86.150"), Country(6, "FR", "Europe/Paris", "90.40"),
    Country(5, "NL", "Europe/Amsterdam", "84.85"), Country(5, "IN", "Asia/Kolkata", "106.200"),
    Country(4, "CA", "America/Toronto", "99.230"), Country(2.5, "ES", "Europe/Madrid", "83.40"),
    Country(2.5, "CH", "Europe/Zurich", "85.2"), Country(2.2, "AT", "Europe/Vienna", "91.115"),
    Country(2.2, "SE", "Europe/Stockholm", "78.70"), Country(2.2, "PL", "Europe/Warsaw", "83.10"),
    Country(2, "BR", "America/Sao_Paulo", "177.100"), Country(2, "AU", "Australia/Sydney", "1.130"),
    Country(1.8, "IT", "Europe/Rome", "79.20"), Country(1.6, "JP", "Asia/Tokyo", "126.40"),
    Country(1.3, "BE", "Europe/Brussels", "81.240"), Country(1.2, "DK", "Europe/Copenhagen", "87.50"),
    Country(1.1, "NO", "Europe/Oslo", "84.208"), Country(1, "IE", "Europe/Dublin", "86.40"),
    Country(0.9, "CZ", "Europe/Prague", "90.180"), Country(0.8, "PT", "Europe/Lisbon", "85.240"),
    Country(0.7, "KR", "Asia/Seoul", "121.140"), Country(0.4, "ZA", "Africa/Johannesburg", "105.10"),
)  # fmt: skip

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64"
_BLINK = ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0"
_WEBKIT = " AppleWebKit/605.1.15 (KHTML, like Gecko)"
_GECKO = "; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K"
_SAMSUNG = "AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{} Chrome/130.0.0.0"
_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X){_WEBKIT}"
_IPAD = f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X){_WEBKIT}"
_IOS = "Mobile/15E148 Safari/604.1"

#: Kind of device, user agent without its version, versions with their weights.
_BROWSERS: tuple[tuple[str, str, Mapping[str, float]], ...] = (
    ("desktop", f"{_WINDOWS}{_BLINK} Safari/537.36", {"141": 13, "140": 6, "138": 1.5}),
    ("desktop", f"{_MAC}{_BLINK} Safari/537.36", {"141": 10, "140": 4, "137": 1}),
    ("desktop", f"{_LINUX}{_BLINK} Safari/537.36", {"141": 2.5, "140": 0.8}),
    ("desktop", f"{_WINDOWS}{_BLINK} Safari/537.36 Edg/141.0.0.0", {"141": 8}),
    ("desktop", f"{_MAC}{_BLINK} Safari/537.36 Edg/141.0.0.0", {"141": 0.7}),
    ("desktop", f"{_WINDOWS}{_BLINK} Safari/537.36 OPR/122.0.0.0", {"138": 0.8}),
    ("desktop", f"{_WINDOWS}{_GECKO}", {"143": 3, "140": 0.8}),
    ("desktop", f"{_MAC.replace('_15_7', '.15')}{_GECKO}", {"143": 1.8}),
    ("desktop", f"{_LINUX}{_GECKO}", {"143": 2, "140": 0.6}),
    ("desktop", f"{_MAC}){_WEBKIT} Version/{{}} Safari/605.1.15", {"26.0": 4, "18.6": 3, "17.6": 0.8}),
    ("mobile", f"{_IPHONE} Version/{{}} {_IOS}", {"26.0": 8, "18.6": 5, "18.5": 1.5}),
    ("mobile", f"{_IPHONE} CriOS/{{}}.0.7390.41 {_IOS}", {"141": 2}),
    ("mobile", f"{_ANDROID}{_BLINK} Mobile Safari/537.36", {"141": 9, "140": 3}),
    ("mobile", f"{_ANDROID}) {_SAMSUNG} Mobile Safari/537.36", {"28.0": 1.8}),
    ("mobile", "Mozilla/5.0 (Android 15; Mobile; rv:{0}.0) Gecko/{0}.0 Firefox/{0}.0", {"143": 0.7}),
    ("tablet", f"{_IPAD} Version/{{}} {_IOS}", {"17.6": 1.2, "16.6": 0.4}),
    ("tablet", f"{_IPAD} CriOS/{{}}.0.7390.41 {_IOS}", {"141": 0.5}),
    ("tablet", f"Mozilla/5.0 (Linux; Android 14; SM-X710{_BLINK} Safari/537.36", {"140": 1}),
)  # fmt: skip

#: Kind of device and user agent, with the weight.
AGENTS: Final[Mapping[tuple[str, str], float]] = {
    (device, agent.format(version)): weight
    for device, agent, versions in _BROWSERS
    for version, weight in versions.items()
}

#: Views a day, whether of all pages, user agent, addresses (the first three numbers).
BOTS: Final = (
    (48, False, "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "69.162.124"),
    (58, True, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "66.249.66"),
    (34, True, "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "20.171.207"),
    (28, True, "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "54.36.148"),
)

#: Medians: milliseconds to the first byte, on to the first paint, on to the largest one; INP; CLS.
LOADING = {
    "desktop": (180, 560, 520, 62, 0.020),
    "mobile": (310, 1_050, 760, 128, 0.045),
    "tablet": (260, 860, 680, 104, 0.035),
}
SIGMAS = (0.55, 0.5, 0.6, 0.75, 1.2)

_POSTS = tuple(
    f"/blog/{post}"
    for post in ("count-once", "sessions-without-cookies", "exact-uniques", "reading-a-funnel", "small-teams",
                 "time-zones-are-hard", "what-bots-cost")
)  # fmt: skip
_DOCS = "/docs", *(
    f"/docs/{topic}"
    for topic in ("quickstart", "install", "events", "sessions", "metrics", "funnels", "webhooks", "api",
                  "api/query", "sdk/javascript", "sdk/python", "self-hosting", "faq")
)  # fmt: skip

#: Where a page leads, with the links' weights; pages that are not here lead to `ANYWHERE`.
ANYWHERE = {"/": 3, "/pricing": 3, "/about": 2, "/careers": 1, "/contact": 1, "/docs": 1}
LINKS: Mapping[str, Mapping[str, int]] = {
    "/": {"/pricing": 7, "/features": 6, "/docs": 5, "/customers": 2, "/blog": 2, "/signup": 2, "/about": 1},
    "/features": {"/features/funnels": 3, "/features/retention": 3, "/features/alerts": 2, "/pricing": 4},
    "/features/funnels": {"/features/retention": 3, "/docs/funnels": 2, "/pricing": 3, "/signup": 1},
    "/features/retention": {"/features/alerts": 3, "/features/funnels": 1, "/pricing": 3, "/signup": 1},
    "/features/alerts": {"/integrations": 2, "/docs/webhooks": 2, "/pricing": 3, "/signup": 1},
    "/pricing": {"/signup": 5, "/features": 3, "/docs": 3, "/security": 2, "/contact": 1, "/customers": 2,
                 "/checkout": 1, "/": 2},
    "/customers": {"/customers/northwind": 4, "/customers/acorn": 3, "/pricing": 3, "/": 1},
    "/customers/northwind": {"/customers/acorn": 2, "/pricing": 3, "/contact": 1, "/signup": 1},
    "/integrations": {"/docs/webhooks": 3, "/docs/sdk/javascript": 2, "/docs/sdk/python": 2, "/pricing": 1},
    "/security": {"/docs/self-hosting": 3, "/pricing": 2, "/contact": 1},
    "/changelog": {"/docs": 3, "/features": 2, "/blog": 1, "/pricing": 1},
    "/blog": dict.fromkeys(_POSTS, 2) | {"/": 1, "/changelog": 2},
    "/signup": {"/pricing": 3, "/": 2, "/security": 1},
    "/signup/verify": {"/welcome": 1},
    "/welcome": {"/docs/quickstart": 5, "/docs/install": 3, "/checkout": 4, "/integrations": 1},
    **{post: dict.fromkeys(_POSTS, 1) | {post: 0, "/": 4, "/pricing": 2, "/docs": 2, "/blog": 3}
       for post in _POSTS},
    **{doc: dict.fromkeys(_DOCS, 1) | {doc: 0, after: 9, "/pricing": 2, "/signup": 1, "/changelog": 1}
       for doc, after in zip(_DOCS, [*_DOCS[1:], "/docs"], strict=True)},
}  # fmt: skip


class Act(NamedTuple):
    """What may be done on a page: how likely, as which event with one of which properties, where it leads."""

    chance: float
    event: str
    properties: tuple[dict[str, Any], ...]
    leads: str = ""
    values: tuple[float | None, ...] = (None,)


def _form(name: str, begun: float, sent: float, leads: str = "") -> tuple[Act, ...]:
    return Act(begun, "form_start", ({"form": name},)), Act(sent, "form_submit", ({"form": name},), leads)


def _lead_form(name: str, begun: float, sent: float, leads: str = "") -> tuple[Act, ...]:
    """A form that asks for an address, which one in five had given before."""
    captured = tuple({"form": name, "newLead": new, "isConversion": True} for new in (True, True, True, True, False))
    return *_form(name, begun, sent), Act(1, "lead_captured", captured, leads)


def _outbound(chance: float, *targets: str) -> tuple[Act, ...]:
    return (Act(chance, "outbound_click", tuple({"outboundHost": target} for target in targets)),)


def _call(chance: float, label: str, leads: str) -> tuple[Act, ...]:
    return (Act(chance, "click", ({"kind": "cta", "label": label},), leads),)


_QUERIES = ("webhooks", "funnels", "python", "export", "api key", "docker", "timezone", "gdpr", "bots", "sso")
_SEARCH = (Act(0.13, "search", tuple({"query": q, "results": 5 * i % 17} for i, q in enumerate(_QUERIES))),)

_PLANS = tuple({"plan": plan, "isConversion": True} for plan in ("free", "free", "team"))
_BOUGHT = ({"currency": "EUR", "isConversion": True},)

#: What is done where, in this order: who leaves out an act does none of the later ones.
ACTS: Mapping[str, tuple[Act, ...]] = {
    "/": _call(0.05, "Start free", "/signup"),
    "/pricing": _call(0.13, "Choose a plan", "/signup"),
    "/features/funnels": _call(0.06, "Try it", "/signup"),
    "/signup": _lead_form("signup", 0.36, 0.5, "/signup/verify"),
    "/signup/verify": _call(0.75, "Confirm", "/welcome"),
    "/welcome": (Act(0.97, "signup", _PLANS),),
    "/checkout": _form("billing", 0.7, 0.6, "/checkout/done"),
    "/checkout/done": (Act(1, "purchase", _BOUGHT, "", (29, 29, 29, 79, 79, 290, 790)),),
    "/contact": _lead_form("contact", 0.5, 0.55),
    "/blog": _lead_form("newsletter", 0.06, 0.6),
    "/changelog": _outbound(0.08, "github.com"),
    "/integrations": _outbound(0.1, "slack.com", "zapier.com", "github.com"),
    **dict.fromkeys(("/docs", "/docs/api", "/docs/faq"), _SEARCH),
    **dict.fromkeys(("/docs/sdk/javascript", "/docs/sdk/python"), _outbound(0.12, "github.com")),
    **dict.fromkeys(_POSTS, _outbound(0.04, "github.com", "en.wikipedia.org")),
}


class Arrival(NamedTuple):
    """A way to the site: its share of first and of later visits, how many leave at once, where it leads."""

    first: float
    later: float
    referrer: str
    query: str
    bounces: float
    pages: tuple[str, ...]


_HOME = spread({"/": 16, "/pricing": 3, "/docs": 6, "/features": 1, "/changelog": 2, "/docs/api": 2})
FOUND = spread({"/": 9, "/pricing": 2, "/features": 2, **dict.fromkeys((*_POSTS, *_DOCS), 1)})
_ANSWERED = spread({"/": 2, "/pricing": 2, **dict.fromkeys(_DOCS, 1), "/docs/quickstart": 4})
_READ = spread({"/": 3, **dict.fromkeys(_POSTS, 2), "/changelog": 1})

ARRIVALS: Final = (
    Arrival(22, 58, "", "", 0.45, _HOME),
    Arrival(34, 20, "https://www.google.com/", "", 0.49, FOUND),
    Arrival(5, 2, "https://www.bing.com/", "", 0.50, FOUND),
    Arrival(4, 3, "https://duckduckgo.com/", "", 0.47, FOUND),
    Arrival(3, 1, "https://news.ycombinator.com/", "", 0.62, _READ),
    Arrival(4, 2, "https://t.co/", "", 0.64, _READ),
    Arrival(6, 3, "https://www.linkedin.com/", "", 0.56, _READ),
    Arrival(2, 1, "https://www.reddit.com/", "", 0.60, _READ),
    Arrival(5, 3, "https://chatgpt.com/", "?utm_source=chatgpt.com", 0.41, _ANSWERED),
    Arrival(2, 1, "https://www.perplexity.ai/", "", 0.42, _ANSWERED),
    Arrival(5, 3, "https://github.com/", "", 0.40, _ANSWERED),
    Arrival(3, 1, "https://stack.acorn.example/", "", 0.48, _HOME),
    Arrival(2, 1, "https://www.northwind.example/", "?utm_source=northwind&utm_medium=referral", 0.45, _HOME),
)


class Burst(NamedTuple):
    """Visits beside the usual: by day from the `weekday` in the week that ends `age` days before the last.

    Where `begins` is given, the first day's begin then and fade. `known` of them are earlier visitors.
    """

    age: int
    weekday: int
    sessions: tuple[int, ...]
    begins: float | None
    known: float
    arrival: Arrival


_NEWS = "?utm_source=newsletter&utm_medium=email&utm_campaign=release-notes&utm_content=button"
_AD = "?utm_source=google&utm_medium=cpc&utm_campaign=product-analytics&utm_term=web+analytics&gclid={click}"
_NEWSLETTER = Arrival(0, 0, "", _NEWS, 0.34, ("/changelog", _POSTS[3]))
_VIRAL = ARRIVALS[4]._replace(bounces=0.66, pages=(_POSTS[2],))
_PAID = Arrival(0, 0, "https://www.google.com/", _AD, 0.52, ("/", "/pricing", "/features/funnels"))
BURSTS: Final = (
    Burst(10, 1, (520, 190, 80, 30, 12), 7.5, 0.6, _NEWSLETTER),
    Burst(19, 2, (1_900, 520, 170, 70, 40, 20), 13, 0, _VIRAL),
    Burst(36, 0, (90, 130, 150, 150, 140, 70, 75, 150, 150, 110), None, 0, _PAID),
)
