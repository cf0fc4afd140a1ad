"""Events that look as if they held personal data and hold none: times, ids, hashes, versions, prices and the like."""

import base64
import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_HEX = "0123456789abcdef"
_WORDS = (
    "blue", "river", "cloud", "sprint", "metric", "signup", "button", "banner", "widget", "cart", "plan", "report",
)  # fmt: skip
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{} like Mac OS X) AppleWebKit/605.1.15 Version/17.{} Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0", "okhttp/4.{}.0", "curl/8.{}.1",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/{}.0.6099.109 Safari/537.36 Edg/120.0.2210.91",
)  # fmt: skip
_PAGES = (
    "https://shop.example.com/p/{}?page={}&sort=price%2Dasc", "/docs/v{}.{}/install",
    "https://cdn.example.com/vue@3.{}.{}/dist/x.js",
    "https://x.example/search?q=blue%20shoes&from={}&to={}", "https://maps.example/@52.{},13.{},15z",
    "/img/icon-{}@2x.png?v={}",
    "https://medium.example/@writer.{}/how-to-{}", "https://x.example/a%2Fb%2F{}/c{}",
    "s3://bucket-{}/2026/05/01/part-{}.parquet",
)  # fmt: skip
_TITLES = (
    "{} Great Road Trips", "Top {} Street Food Spots", "{} Ways to Drive Growth", "The {} Best Avenue Q Songs",
    "Chapter {}: The Long Road Home",
    "Parkplatz {}", "Room {}", "Save {}% today", "Level {} complete", "{}-way street signs explained",
    "Stage {} of 5", "Apollo {} Drive Systems",
)  # fmt: skip
_WORDY = (
    ("emailHash", "sha256"), ("emailDomain", "example.com"), ("emailOptIn", "yes"), ("email", True),
    ("phoneVerified", "1234567"),
    ("hasEmail", "true"), ("emailId", "welcome-3"), ("email", "verified"), ("phone", "unknown"), ("phone", None),
    ("email", "[email]"),
    ("name", "Spring Sale"), ("eventName", "page_view"), ("productName", "Baker Street Blend"),
    ("fileName", "first_name.csv"),
    ("hostName", "web-01"), ("street_view_enabled", "true"), ("ip", "unknown"), ("password", "forgot"),
    ("addressCount", 3),
    ("firstNameLength", 12), ("tel", ""), ("mobile", True), ("mobile", "iPhone 15"), ("address", "unknown"),
    ("tooltip", "phone"),
    ("zip", "10115"), ("hotel", "Grand Budapest"), ("username", "river_cloud"), ("dob", None), ("card", "visa"),
    ("cardType", "debit"),
    ("phone", "****1234"), ("email", "***"), ("secretSanta", "on"), ("passwordStrength", "strong"),
    ("token", "next-page"),
    ("streetName", ""), ("birthYear", 1990), ("ipCountry", "DE"), ("phoneModel", "Galaxy S24 1234567"),
    ("contact", "form"),
)  # fmt: skip


@dataclass(frozen=True)
class Harmless:
    """An event's properties in JSON; `hard`: nothing tells them from personal data but that they are none."""

    body: bytes
    properties: dict[str, Any] = field(repr=False)
    family: str
    hard: bool = False


Make = Callable[[random.Random], tuple[str, object]]


def _pick(names: str, make: Callable[[random.Random], object]) -> Make:
    """One of these names, and a value."""
    return lambda chance: (chance.choice(names.split()), make(chance))


def _hex(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(_HEX, k=count))


def _number(chance: random.Random, fewest: int = 8, most: int = 19) -> int:
    count = chance.randrange(fewest, most + 1)
    return chance.randrange(10 ** (count - 1), 10**count)


def _instant(chance: random.Random) -> datetime:
    return datetime(2015, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(15 * 365 * 86_400 * 10**6))


def _epoch(chance: random.Random) -> object:
    at = int(_instant(chance).timestamp() * chance.choice((1, 10**3, 10**6))) + chance.randrange(1_000)
    return chance.choice((at, str(at)))


def _iso(chance: random.Random) -> str:
    at = _instant(chance)
    zone = chance.choice(("Z", "+02:00", "-0530", ""))
    return chance.choice((
        at.isoformat()[:19] + zone, f"{at:%Y-%m-%d}", f"{at:%d.%m.%Y %H:%M}", f"{at:%m/%d/%Y}", f"{at:%d-%m-%Y}",
        f"{at:%H:%M:%S}",
        f"{at:%a %b %d %Y %H:%M:%S} GMT+0200", f"{at:%Y%m%dT%H%M%S}Z", f"{at:%Y:%m:%d %H:%M:%S}",
        f"{at:%Y-%m-%d} - {at:%Y-%m-%d}",
        f"P{at.day}DT{at.hour}H", f"{at:%Y-W%V-%u}", f"{at:%Y-%m-%d-%H-%M-%S}", f"{at:%d %m %Y %H %M}",
        f"{at:%H:%M:%S.%f}",
    ))  # fmt: skip


def _uuid(chance: random.Random) -> str:
    made = uuid.UUID(int=chance.getrandbits(128), version=chance.randrange(1, 6))
    return chance.choice(
        (str(made), made.hex, str(made).upper(), f"{{{made}}}", made.urn, f"01{str(made)[2:14]}7{str(made)[15:]}")
    )


def _hash(chance: random.Random) -> str:
    raw = chance.randbytes(8)
    made = chance.choice((hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512))(raw)
    return chance.choice((
        made.hexdigest(), base64.b64encode(made.digest()).decode(),
        f"sha256-{base64.b64encode(made.digest()).decode()}", f"0x{_hex(chance, 64)}",
        made.hexdigest().upper(), made.hexdigest()[:7], f"sha256:{hashlib.sha256(raw).hexdigest()}",
    ))  # fmt: skip


def _version(chance: random.Random) -> str:
    a, b, c, d = (chance.randrange(1, 30) for _ in range(4))
    return chance.choice(
        (
            f"{a}.{b}.{c}",
            f"{a}.{b}.{c}.{d}",
            f"v{a}.{b}.{c}-beta.{d}",
            f"{a}.0.{b * 300}.{c * 9}",
            f"^{a}.{b}",
            f"{a}.{b}.{c}+{d}",
        )
    )


def _loose_version(chance: random.Random) -> str:
    a, b, c = (chance.randrange(1, 10) for _ in range(3))
    return chance.choice((
        f"{a}.{b}.{c}.{a}", f"v{a}1.{b}.{c}.2", f"updated to version {a}.{b}.{c}2.1", f"react@{a}.{b}.{c}",
        f"lodash@{a}.{b}.{c}-rc.{a}",
        f"{100 + a}.0.{6000 + b}.{c}", f"{a}{b}.0.0.0", f"Chrome/{100 + a}.0.0.0", f"1.3.6.1.4.1.{a}{b}.{c}",
        f"build 10.{a}.{b}.{c}",
    ))  # fmt: skip


def _id(chance: random.Random) -> str:
    n = _number(chance, 6, 12)
    return chance.choice((
        f"ord_{_hex(chance, 16)}", f"evt-{n}", f"INV-2026-{n}", f"cus_{_hex(chance, 14).upper()}", f"A{n}",
        f"{n}-{chance.randrange(9)}",
        f"pi_{_hex(chance, 24)}", f"01HZX{_hex(chance, 21).upper()}", f"urn:li:{n}",
        f"GA1.2.{n}.{1_600_000_000 + chance.randrange(10**8)}",
        f"{_hex(chance, 8)}:{_hex(chance, 8)}", f"#{n}", f"ticket/{n}", f"arn:aws:s3:::bucket-{n}",
        f"{_hex(chance, 32)}-{_hex(chance, 16)}-01",
    ))  # fmt: skip


def _price(chance: random.Random) -> object:
    amount = chance.uniform(0, 10 ** chance.randrange(1, 7))
    return chance.choice(
        (
            amount,
            round(amount, 2),
            f"{amount:,.2f}",
            f"${amount:,.2f}",
            f"{amount:.2f} EUR",
            f"-{amount:.0f}",
            f"+{amount:.1f}%",
        )
    )


def _place(chance: random.Random) -> object:
    lat, lon = chance.uniform(-90, 90), chance.uniform(-180, 180)
    return chance.choice(
        (
            lat,
            f"{lat:.6f},{lon:.6f}",
            [lon, lat],
            f"{lat:+.4f}{lon:+.4f}/",
            f"geo:{lat:.4f},{lon:.4f}",
            f"{lat:.5f} {lon:.5f}",
        )
    )


def _technical(chance: random.Random) -> str:
    n = chance.randrange(1, 99)
    return chance.choice((
        f"#{_hex(chance, 6)}", f"#{_hex(chance, 8)}", f"rgb({n}, {n}, {n})", f"{n}00x{n}00", f"{n * 10}px",
        "de-DE,de;q=0.9,en;q=0.8", "en_US.UTF-8",
        f"{n}:{n % 60:02}:{n % 60:02}", f"SM-G99{n}B", f"Pixel {n}", f"std::vector<int>::{n}", "12:34:56:78:9a:bc",
        f"a::b::{n}", "::1", "127.0.0.1",
        "0.0.0.0", "255.255.255.0", f"10.{n}.0.0/16", "@handle", "me@home", f"C:\\Users\\x\\{n}.txt", f"1e{n}",
        f"{n} / {n}", f"ISBN 978-3-16-148410-{n % 10}",
        f"{n}/{n}/{n}", f"x{n}@3x.webp", f"key_{n}", f"Bearer of news {n}", "sk-fading-circle-delayed-start",
        "-----BEGIN CERTIFICATE-----", "eyJ.eyJ.x",
        f"matrix(1, 0, 0, 1, {n}, {n})", f"{n}% - {n + 1}%", f"M{n} {n}L{n + 5} {n}", f"4111 1111 1111 {n}",
        f"({n}) {n}-{n}", f"+{n}", f"00{n}",
    ))  # fmt: skip


#: What a value is called, and what makes one with the name it stands under.
_FAMILIES: Sequence[tuple[str, Make]] = (
    ("epoch times", _pick("ts timestamp at time value started n createdAt", _epoch)),
    ("dates and durations", _pick("date at when day range label text duration", _iso)),
    ("UUIDs", _pick("id uuid value session device ref", _uuid)),
    ("hashes", _pick("hash sha etag value digest integrity txHash emailHash commit", _hash)),
    ("versions", _pick("version appVersion sdk build sdkVersion browserVersion firmware", _version)),
    ("versions under any name", _pick("value label text from dependency chrome", _loose_version)),
    ("ids with prefixes", _pick("id order ref value invoice trace external", _id)),
    (
        "numbers under names of ids and quantities",
        _pick(
            "orderId id sequence bytes traceId count offset durationNs tweetId sessionId serial amountCents", _number
        ),
    ),
    (
        "the same as text",
        _pick("orderId id sequence snowflake traceId ean sku deviceSerial", lambda chance: str(_number(chance))),
    ),
    (
        "short numbers",
        _pick(
            "value n score step quantity year items views",
            lambda chance: chance.randrange(10 ** chance.randrange(1, 12)),
        ),
    ),
    ("prices and rates", _pick("price amount total value delta revenue", _price)),
    ("random fractions", _pick("r sample value rate weight", random.Random.random)),
    ("places", _pick("coords lat position value center", _place)),
    (
        "user agents",
        _pick(
            "ua userAgent agent value browser",
            lambda chance: chance.choice(_AGENTS).replace("{}", str(chance.randrange(2, 140))),
        ),
    ),
    (
        "addresses of pages",
        _pick(
            "url href page src value link",
            lambda chance: chance.choice(_PAGES).format(chance.randrange(9_999), chance.randrange(99)),
        ),
    ),
    (
        "titles",
        _pick("title name label headline text", lambda chance: chance.choice(_TITLES).format(chance.randrange(1, 99))),
    ),
    ("words", _pick("plan name label tag campaign variant", lambda chance: "-".join(chance.sample(_WORDS, 3)))),
    ("technical texts", _pick("value text label x note css", _technical)),
    ("names that nearly tell", lambda chance: chance.choice(_WORDY)),
)

_HARD: Sequence[tuple[str, Make]] = (
    ("sixteen digits under any name", _pick("value n x code", lambda chance: _number(chance, 16, 16))),
    (
        "grouped digits",
        _pick(
            "code label part", lambda chance: f"{_number(chance, 3, 3)}-{_number(chance, 3, 3)}-{_number(chance, 4, 4)}"
        ),
    ),
    (
        "versions like addresses",
        _pick("value label", lambda chance: ".".join(str(chance.randrange(1, 60)) for _ in range(4))),
    ),
    (
        "nine digits in groups",
        _pick("code label", lambda chance: f"{_number(chance, 3, 3)}-{_number(chance, 2, 2)}-{_number(chance, 4, 4)}"),
    ),
    ("remotes of a repository", _pick("remote", lambda chance: f"git@github.com:acme/{chance.choice(_WORDS)}.git")),
)


def samples(per_family: int, seed: int, per_hard_family: int = 0) -> Iterator[Harmless]:
    """So many events of every family."""
    chance = random.Random(seed)
    for families, count, hard in ((_FAMILIES, per_family, False), (_HARD, per_hard_family, True)):
        for family, make in families:
            for _ in range(count):
                name, value = make(chance)
                yield _sample(chance, family, name, value, hard)


def _sample(chance: random.Random, family: str, name: str, value: object, hard: bool) -> Harmless:
    properties: dict[str, Any] = chance.choice(
        ({name: value}, {"plan": "pro", name: [value]}, {"context": {name: value}})
    )
    body = json.dumps([{"event": "x", "properties": properties}], ensure_ascii=chance.random() < 0.5)
    return Harmless(body.encode(), properties, family, hard)
