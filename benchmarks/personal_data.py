"""Events that hold personal data, each known with its kind: made without a look at how such data is found."""

import base64
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

_FIRST = (
    "Ada", "Grace", "Jürgen", "Zoë", "Chloé", "Søren", "Łukasz", "José", "Priya", "Wei", "Hiroshi", "Olga", "Noah",
)  # fmt: skip
_LAST = (
    "Lovelace", "Hopper", "Müller", "O'Brien", "Nuñez", "Kowalski", "Nguyễn", "Okafor", "Smith-Jones", "Dvořák",
)  # fmt: skip
_PLAIN = (
    "ada", "grace", "hopper", "smith", "jones", "mueller", "rossi", "tanaka", "silva", "ivan", "lee", "kim", "chen",
)  # fmt: skip
_HOSTS = (
    "example.com", "mail.example.co.uk", "gmx.de", "uni-bonn.example", "sub.domain.example.org", "163.com", "web.de",
)  # fmt: skip
_IDN = ("bücher.example", "例え.jp", "пример.рф", "münchen.de", "xn--bcher-kva.example", "xn--e1afmkfd.xn--p1ai")
_NEUTRAL = ("note", "comment", "value", "text", "q", "message", "label", "input", "search", "content")
_SENTENCES = (
    "please write to {} soon", "{}", "contact: {}", "({})", "it was {}, I think", '"{}"', "old\n{}\nnew", "x={}", "{}.",
    "<{}>", "see {}; {}", "https://x.example/?q={}&page=2",
)  # fmt: skip
_STREETS = ("Baker", "Main", "Elm", "Old Kent", "Martin Luther King", "King George", "5th", "Sunset", "N Clark")
_WAYS = ("Street", "St", "Road", "Avenue", "Ave", "Lane", "Drive", "Boulevard", "Blvd.", "Court")
_GERMAN = ("Musterstraße", "Hauptstrasse", "Goethestr.", "Berliner Straße", "Lange Gasse", "Lindenallee", "Bachgasse")
_AREAS = ("212", "415", "312", "206", "617", "702", "305", "713", "404", "503")
_BANKS = {"DE": "d18", "FR": "d23", "GB": "a4d14", "NL": "a4d10", "ES": "d20", "BE": "d12", "AT": "d16", "CH": "d17",
          "PL": "d24", "NO": "d11", "IT": "a1d22", "SE": "d20"}  # fmt: skip
_ISSUERS = (("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16),
            ("65", 16), ("3528", 16), ("62", 16), ("36", 14), ("38", 14))  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """An event's properties in JSON; what of it is personal, and of what kind. `hard`: few guards would find it."""

    body: bytes
    properties: dict[str, Any] = field(repr=False)
    kind: str
    value: str
    family: str
    hard: bool = False


Make = Callable[[random.Random], str]


def digits(chance: random.Random, count: int) -> str:
    """So many random digits."""
    return "".join(chance.choices("0123456789", k=count))


def checked(number: str) -> str:
    """A number with the digit that makes its weighted sum a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        total += sum(map(int, str(int(digit) * (2 if place % 2 == 0 else 1))))
    return number + str(-total % 10)


def _address(chance: random.Random) -> str:
    local = chance.choice(("{}", "{}.{}", "{}_{}", "{}+news", "{}-{}", "{}{}"))
    return f"{local.format(*chance.sample(_PLAIN, 2))}{chance.choice(('', '', '7', '1985'))}@{chance.choice(_HOSTS)}"


def _idn(chance: random.Random) -> str:
    return f"{chance.choice(('jürgen', 'zoë', 'ada', '用户', 'иван', 'dvořák.k'))}@{chance.choice(_IDN)}"


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def card_number(chance: random.Random) -> str:
    """A card's number of some issuer."""
    start, length = chance.choice(_ISSUERS)
    return checked(start + digits(chance, length - 1 - len(start)))


def _grouped_card(chance: random.Random) -> str:
    number, gap = card_number(chance), chance.choice(" -")
    places = (4, 10) if len(number) < 16 else (4, 8, 12)
    return gap.join(number[a:b] for a, b in zip((0, *places), (*places, None), strict=True))


def _account(chance: random.Random) -> str:
    country, form = chance.choice(list(_BANKS.items()))
    letters = "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=int(form[1]))) if form[0] == "a" else ""
    rest = letters + digits(chance, int(form.rpartition("d")[2]))
    value = "".join(str(ord(c) - 55) if c.isalpha() else c for c in rest + country + "00")
    return f"{country}{98 - int(value) % 97:02}{rest}"


def _spaced(text: str) -> str:
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def _security_number(chance: random.Random) -> str:
    area = chance.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03}-{chance.randrange(1, 100):02}-{chance.randrange(1, 10_000):04}"


def _american(chance: random.Random) -> str:
    parts = (chance.choice(_AREAS), f"{chance.choice('23456789')}{chance.randrange(20, 99)}", digits(chance, 4))
    return chance.choice(
        ("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "1-{}-{}-{}", "+1 ({}) {}-{}", "+1{}{}{}")
    ).format(*parts)


def _european(chance: random.Random) -> str:
    def d(count: int) -> str:
        return digits(chance, count)

    return chance.choice((
        lambda: f"+49 171 {chance.choice('23456789')}{d(6)}", lambda: f"+49 (0)30 {chance.choice('23456789')}{d(6)}",
        lambda: f"0171 {chance.choice('23456789')}{d(6)}", lambda: f"030/{chance.choice('23456789')}{d(6)}",
        lambda: f"+44 20 7946 0{d(3)}", lambda: f"07911 1{d(5)}", lambda: f"020 7946 0{d(3)}",
        lambda: f"+33 6 1{d(1)} {d(2)} {d(2)} {d(2)}", lambda: f"06 1{d(1)} {d(2)} {d(2)} {d(2)}",
        lambda: f"+34 612 {d(3)} {d(3)}", lambda: f"+31 6 1{d(7)}", lambda: f"+48 601 {d(3)} {d(3)}",
        lambda: f"0049 171 2{d(6)}",
        lambda: f"+91 98{d(3)} {d(5)}", lambda: f"+61 412 {d(3)} {d(3)}", lambda: f"+81 90-1{d(3)}-{d(4)}",
    ))()  # fmt: skip


def _v4(chance: random.Random) -> str:
    first = chance.choice([n for n in range(11, 224) if n != 127])
    return f"{first}.{chance.randrange(256)}.{chance.randrange(1, 256)}.{chance.randrange(1, 255)}"


def _v6(chance: random.Random) -> str:
    groups = [chance.choice(("2001", "2a02", "2606", "2a00")), *(f"{chance.randrange(1, 65_536):x}" for _ in range(7))]
    return ":".join(groups) if chance.random() < 0.5 else ":".join(groups[:4]) + "::" + ":".join(groups[6:])


def _letters(chance: random.Random, count: int, alphabet: str = "") -> str:
    every = alphabet or "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(chance.choices(every, k=count))


def _token(chance: random.Random) -> str:
    said = ({"alg": "HS256", "typ": "JWT"}, {"sub": digits(chance, 9)})
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in said]
    return ".".join([*parts, _letters(chance, 43)])


def _key(chance: random.Random) -> str:
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return chance.choice((
        lambda: "sk-" + _letters(chance, 48), lambda: "sk-proj-" + _letters(chance, 60),
        lambda: "sk_live_" + _letters(chance, 24),
        lambda: "pk_live_" + _letters(chance, 24), lambda: "AKIA" + _letters(chance, 16, upper),
        lambda: "ghp_" + _letters(chance, 36), lambda: "github_pat_" + _letters(chance, 60),
        lambda: f"xoxb-{digits(chance, 12)}-{_letters(chance, 24)}", lambda: "AIza" + _letters(chance, 35),
        lambda: "glpat-" + _letters(chance, 20), lambda: "Bearer " + _letters(chance, 40),
        lambda: "tm_ingest_" + _letters(chance, 36), lambda: "tm_admin_" + _letters(chance, 36),
    ))()  # fmt: skip


def _party(chance: random.Random) -> str:
    hexed = "0123456789abcdef"
    if chance.random() < 0.5:
        return "0x" + _letters(chance, 40, hexed + "ABCDEF")
    return f"{chance.choice(_PLAIN)}-{digits(chance, 3)}::1220{_letters(chance, 64, hexed)}"


def _street(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return f"{chance.choice(_GERMAN)} {chance.randrange(1, 200)}{chance.choice(('', '', 'a'))}"
    return f"{chance.randrange(1, 1900)}{chance.choice(('', '', 'B'))} {chance.choice(_STREETS)} {chance.choice(_WAYS)}"


def _person(chance: random.Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"


_BIRTHS = ("{y}-{m:02}-{d:02}", "{d:02}.{m:02}.{y}", "{m}/{d}/{y}", "{d} May {y}", "{y}{m:02}{d:02}")


def _birth(chance: random.Random) -> str:
    form = chance.choice(_BIRTHS)
    return form.format(y=chance.randrange(1930, 2015), m=chance.randrange(1, 13), d=chance.randrange(1, 29))


#: Kind, family, and what makes a value; it is put into texts under names that say nothing.
_IN_TEXTS: Sequence[tuple[str, str, Make]] = (
    ("email", "plain", _address),
    ("email", "international", _idn),
    ("email", "%40", lambda chance: quote(_address(chance), safe="")),
    ("email", "%2540", lambda chance: quote(quote(_address(chance), safe=""), safe="")),
    ("email", "full-width", lambda chance: _full_width(_address(chance))),
    ("phone", "American", _american),
    ("phone", "other countries", _european),
    ("card", "in a row", card_number),
    ("card", "grouped", _grouped_card),
    ("iban", "in a row", _account),
    ("iban", "grouped", lambda chance: _spaced(_account(chance))),
    ("ssn", "hyphens", _security_number),
    ("ip", "v4", _v4),
    ("ip", "v6", _v6),
    ("jwt", "signed", _token),
    ("secret", "known shapes", _key),
    ("party", "Ethereum and Canton", _party),
    ("address", "streets", _street),
)

#: Kind, names that tell, and what makes a value.
_UNDER_NAMES: Sequence[tuple[str, str, Make]] = (
    ("name", "fullName full_name customerName cardholder_name", _person),
    ("name", "firstName first-name givenName FNAME user.first_name prenom", lambda chance: chance.choice(_FIRST)),
    ("name", "lastName surname family_name maidenName nachname billingLastName", lambda chance: chance.choice(_LAST)),
    ("email", "email eMail user_email contactEmail EMAIL_ADDRESS", lambda chance: f"{chance.choice(_PLAIN)}@localhost"),
    ("phone", "phone mobile tel phoneNumber home_phone telefon", lambda chance: "0" + digits(chance, 9)),
    ("phone", "phone customerPhone msisdn mobile_number", lambda chance: chance.choice(_AREAS) + digits(chance, 7)),
    (
        "address",
        "street streetAddress addressLine1 shipping_address strasse",
        lambda chance: f"{chance.choice(_STREETS)} Row",
    ),
    ("address", "address homeAddress billing_address", lambda chance: f"{digits(chance, 2)} The Old Mill, York"),
    ("birthdate", "dateOfBirth date_of_birth birthDate birthday dob geburtsdatum", _birth),
    ("ssn", "ssn socialSecurityNumber", lambda chance: _security_number(chance).replace("-", chance.choice(("", " ")))),
    ("card", "cardNumber card_number creditCard", lambda chance: "4" + digits(chance, 15)),
    ("document", "passport passportNumber drivers_license national_id", lambda chance: f"C{digits(chance, 8)}"),
    ("ip", "ip clientIp ip_address remoteAddr", lambda chance: chance.choice((_v4, _v6))(chance)),
    (
        "secret",
        "password apiKey api_key accessToken client_secret pwd",
        lambda chance: _letters(chance, chance.randrange(8, 33)),
    ),
)

#: What people write where no check digit, no shape and no name gives it away.
_HARD: Sequence[tuple[str, str, Make]] = (
    ("email", "spelled out", lambda chance: f"{chance.choice(_PLAIN)} [at] example [dot] com"),
    ("email", "HTML entity", lambda chance: _address(chance).replace("@", "&#64;")),
    ("phone", "in a row, no prefix", lambda chance: chance.choice(_AREAS) + "5" + digits(chance, 6)),
    ("phone", "Spanish, no prefix", lambda chance: f"612 {digits(chance, 3)} {digits(chance, 3)}"),
    ("card", "odd groups", lambda chance: (n := card_number(chance))[:7] + " " + n[7:]),
    ("iban", "lower case", lambda chance: _account(chance).lower()),
    ("ssn", "spaces", lambda chance: _security_number(chance).replace("-", " ")),
    ("name", "in a sentence", lambda chance: f"signed, {_person(chance)}"),
    (
        "address",
        "other languages",
        lambda chance: f"{chance.choice(('Via Roma', 'Calle Mayor', 'Keizersgracht'))} {digits(chance, 2)}",
    ),
    ("address", "lower case", lambda chance: f"{chance.randrange(1, 99)} baker street"),
    ("ssn", "in a row", lambda chance: _security_number(chance).replace("-", "")),
    (
        "address",
        "no word for a street",
        lambda chance: f"{chance.choice(('Am Markt', 'Unter den Linden', 'P.O. Box'))} {digits(chance, 2)}",
    ),
    ("secret", "unknown shape", lambda chance: f"the key is {_letters(chance, 24)}"),
    ("party", "64 digits of a Canton party alone", lambda chance: "1220" + _letters(chance, 64, "0123456789abcdef")),
)


def samples(per_family: int, seed: int) -> Iterator[Sample]:
    """So many events of every family; of each half are spelled with escapes, as some clients do."""
    chance = random.Random(seed)
    for kind, family, make in _IN_TEXTS:
        for _ in range(per_family):
            value = make(chance)
            text = chance.choice(_SENTENCES).replace("{}", value)
            yield _sample(chance, kind, family, value, _placed(chance, chance.choice(_NEUTRAL), text))
    for kind, names, make in _UNDER_NAMES:
        for _ in range(per_family):
            value = make(chance)
            yield _sample(
                chance, kind, f"name {names.split()[0]}", value, _placed(chance, chance.choice(names.split()), value)
            )
    for kind, family, make in _HARD:
        for _ in range(max(1, per_family // 4)):
            value = make(chance)
            yield _sample(chance, kind, family, value, {chance.choice(_NEUTRAL): value}, hard=True)


def _placed(chance: random.Random, name: str, text: str) -> dict[str, Any]:
    """The text somewhere in properties."""
    return chance.choice((
        {name: text}, {"plan": "pro", name: text, "n": 3}, {"form": {"step": 2, name: text}}, {name: [text]},
        {"items": [{"sku": "A-1"}, {name: text}]},
    ))  # fmt: skip


def _sample(
    chance: random.Random, kind: str, family: str, value: str, properties: dict[str, Any], hard: bool = False
) -> Sample:
    body = json.dumps([{"event": "x", "properties": properties}], ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.25:
        body = body.replace("@", "\\u0040").replace("+", "\\u002b")
    return Sample(body.encode(), properties, kind, value, family, hard)
