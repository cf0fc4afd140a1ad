"""Names that tell what stands under them: `email`, `firstName`, `api_key`. The list is closed.

A name tells in any spelling (camelCase, snake_case, kebab-case, after a path such as `user.`) and with a word before it
that says whose it is (`customerPhone`). What stands under it counts only if it may be such data.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import re2

from tallymark.ingest import pii_values as may_be
from tallymark.ingest.pii_readings import plain

#: A longer name tells nothing.
LONGEST_NAME: Final = 128

#: What may stand between the words of a name.
_BETWEEN = r"[_\-. ]?"

_WHOSE = (
    "user", "customer", "client", "contact", "member", "guest", "person", "personal", "owner", "account", "profile",
    "billing", "shipping", "delivery", "invoice", "home", "work", "office", "private", "primary", "secondary",
    "alternative", "old", "new", "current", "my", "your", "lead", "buyer", "seller", "payer", "payee", "sender",
    "recipient", "patient", "employee", "applicant", "candidate", "subscriber", "attendee", "passenger", "student",
    "parent", "child", "emergency", "x", "confirm", "repeat", "db", "database", "root", "master", "aws", "azure", "gcp",
    "google", "github", "slack", "stripe", "openai",
)  # fmt: skip


@dataclass(frozen=True)
class Telling:
    """Names that tell of a kind, their words joined by hyphens, and what may stand under them."""

    kind: str
    names: str
    holds: Callable[[str], bool]


#: The closed list. The first that fits a name says what it tells.
TELLING = (
    Telling(
        "email", "e-mail e-mail-address e-mail-adresse mail-address correo correo-electronico courriel", may_be.email
    ),
    Telling(
        "phone",
        "phone phone-number phone-no telephone telephone-number tel tel-number mobile mobile-number mobile-phone "
        "mobile-no cell-phone cell-number fax fax-number telefon telefon-nummer telefono teléfono téléphone handy "
        "handy-nummer msisdn whats-app whats-app-number",
        may_be.phone,
    ),
    Telling(
        "name",
        "full-name first-name last-name surname given-name family-name middle-name maiden-name birth-name real-name "
        "forename fname lname card-holder card-holder-name account-holder account-holder-name name-on-card "
        "customer-name contact-name recipient-name patient-name passenger-name employee-name guest-name person-name "
        "name-first name-last vorname nachname familien-name prenom prénom nom-de-famille apellido apellidos cognome",
        may_be.name,
    ),
    Telling(
        "address",
        "street street-address street-name street-line address-line postal-address mailing-address residential-address "
        "home-address shipping-address billing-address delivery-address work-address strasse straße anschrift",
        may_be.street,
    ),
    Telling("address", "address adresse direccion dirección", may_be.address),
    Telling("birthdate", "date-of-birth birth-date birth-day dob bday geburts-datum geburts-tag", may_be.birthdate),
    Telling("ssn", "ssn social-security social-security-number social-security-no", may_be.ssn),
    Telling(
        "document",
        "passport passport-number passport-no national-id national-id-number national-insurance-number "
        "driver-license driver-license-number drivers-license drivers-license-number driving-licence "
        "driving-licence-number identity-card identity-card-number",
        may_be.document,
    ),
    Telling(
        "card",
        "card-number card-no card-num credit-card credit-card-number debit-card debit-card-number cc-number cc-num "
        "payment-card-number",
        may_be.card,
    ),
    Telling("card", "cvv cvc card-verification-code", may_be.check_code),
    Telling("iban", "iban", may_be.iban),
    Telling(
        "ip",
        "ip ip-address ip-addr ip-v remote-addr remote-ip remote-address source-ip src-ip real-ip forwarded-for",
        may_be.ip,
    ),
    Telling(
        "secret",
        "password password-confirm password-confirmation pass-word passwd pwd pass-phrase passcode passwort kennwort "
        "contraseña mot-de-passe api-key api-secret api-token access-token refresh-token id-token auth-token "
        "bearer-token session-token secret secret-key client-secret secret-access-key access-key private-key "
        "authorization",
        may_be.secret,
    ),
)  # fmt: skip

_WHOSE_PATTERN = f"(?:(?:{'|'.join(_WHOSE)}){_BETWEEN})*"
_TAIL = r"[_\-. ]?[0-9]{0,2}(?:\[\]|[\])])?"


def _pattern(names: Sequence[str]) -> str:
    return f"(?:{'|'.join(sorted(names, key=len, reverse=True))})".replace("-", _BETWEEN)


_NAMES = [name for telling in TELLING for name in telling.names.split()]
_HOLDERS = {"-".join(words[:count]) for words in (name.split("-") for name in _NAMES) for count in range(1, len(words))}

#: In RE2's syntax: a telling name with whose it is, without what comes before.
TELLING_NAME = f"(?i:{_WHOSE_PATTERN}{_pattern(_NAMES)}{_TAIL})"

#: In RE2's syntax: a name that tells together with the one below it, as in `{"card": {"number": …}}`.
HOLDING_NAME = f"(?i:{_WHOSE_PATTERN}{_pattern(sorted(_HOLDERS))}{_TAIL})"

#: What a path to a name ends with: what comes after the last of these is the name.
_BEFORE_NAMES = ".[/:$"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_VERSIONS_AND_SERVERS = (
    "version versions ver v sdk build release firmware os browser agent ua app engine driver kernel library lib "
    "runtime platform oid host hostname server endpoint node dns gateway"
)
_OF_MACHINES = frozenset(_VERSIONS_AND_SERVERS.split())
_IDS_TIMES_AND_QUANTITIES = (
    "id ids uid uuid guid ref reference sku order trace span request session hash sequence seq offset serial barcode "
    "ean isbn imei tracking cursor nonce block height snowflake tweet object batch build article item product "
    "invoice ticket case part model code fingerprint checksum timestamp time ts at ms us ns nanos micros millis epoch "
    "date duration latency bytes size count total amount price revenue cents wei lat latitude lng lon longitude"
)
_OF_IDS = frozenset(_IDS_TIMES_AND_QUANTITIES.split())


@cache
def _compiled() -> tuple[Any, tuple[tuple[Any, Telling], ...]]:
    """All names, and those of each kind."""
    each = tuple(
        (re2.compile(f"(?i:{_WHOSE_PATTERN}{_pattern(telling.names.split())}{_TAIL})"), telling) for telling in TELLING
    )
    return re2.compile(TELLING_NAME), each


@lru_cache(maxsize=16_384)
def _telling_of(name: str) -> Telling | None:
    spelled = plain(name).removesuffix("[]")
    last = spelled[max(map(spelled.rfind, _BEFORE_NAMES)) + 1 :].lstrip("_")
    every, each = _compiled()
    if every.fullmatch(last) is None:
        return None
    return next((telling for pattern, telling in each if pattern.fullmatch(last)), None)


def _telling(name: str) -> Telling | None:
    return _telling_of(name) if len(name) <= LONGEST_NAME else None


def promised(name: str) -> str:
    """The kind that a name tells of; '' where it tells nothing."""
    telling = _telling(name)
    return "" if telling is None else telling.kind


def told(name: str, text: str) -> str:
    """The kind of a text by the name it stands under; '' where that tells nothing, or the text can't be such data."""
    telling = _telling(name)
    if telling is None or not may_be.something(text, telling.kind):
        return ""
    return telling.kind if telling.holds(plain(text)) else ""


def below(holder: str, name: str) -> str:
    """The name that tells for what stands under `name` in what stands under `holder`.

    `card` and `number` are `card_number`; `phone` and `home` are `phone`; where nothing else tells it is `name`, or ''
    for a long one.
    """
    name = name if len(name) <= LONGEST_NAME else ""
    if not holder or _telling(name) is not None:
        return name
    if _telling(both := f"{holder}_{name}") is not None:
        return both
    above = _telling(holder)
    return name if above is None or above.kind == "secret" else holder


@lru_cache(maxsize=4_096)
def of_machines(name: str) -> bool:
    """Whether a name is that of a version, which looks like an address, or of a server, whose address is nobody's."""
    return not _OF_MACHINES.isdisjoint(_words(name))


@lru_cache(maxsize=4_096)
def of_ids(name: str) -> bool:
    """Whether a name is that of an id, a time or a quantity, whose digits mean nothing."""
    return not _OF_IDS.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]
