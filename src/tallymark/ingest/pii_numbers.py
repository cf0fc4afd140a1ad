"""Numbers that stand for people: whether a match is a card, an account, a telephone, an address in a network.

Each check gets a match with what stands around it and gives how many of its characters are one, 0 for none.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from tallymark.ingest.pii_keys import of_ids, of_machines

#: Lengths of IBANs by country, as registered.
_REGISTERED: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
IBAN_LENGTHS: Final = {entry[:2]: int(entry[2:]) for entry in _REGISTERED.split()}

#: Issuers' first digits, and the lengths of their numbers.
_ISSUERS: Final = (
    (re.compile(r"4"), (16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"6011|64[4-9]|65"), (16, 19)),
    (re.compile(r"62"), (16, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 19)),
    (re.compile(r"30[0-5]|3095|36|3[89]"), (14,)),
)

_VERSION_BEFORE = re.compile(
    r"(?:\bv|version|\bver|build|release|firmware|\bsdk|update|patch|revision|\brev)[\s:=.#\"'(-]*$", re.IGNORECASE
)

#: A latitude and a longitude.
_PLACE_ON_EARTH = re.compile(r"\+\d{1,2}\.\d+-\d{1,3}(?:\.\d*)?")

_COUNTRY_WITHOUT_PLUS: Final = re.compile(r"^1[ .-]")
_FIRST_DIGITS: Final = re.compile(r"[0-9]+")
#: Countries whose numbers are known without their prefix: those that begin with 0, in pairs or not, and the others.
_IN_PAIRS: Final = ("FR",)
_WITH_ZERO: Final = ("GB", "DE")
_WITHOUT_ZERO: Final = ("US",)


@dataclass(frozen=True)
class Candidate:
    """A match of a kind's pattern, what stands before and after it in its text, and under which name."""

    found: str
    before: str = ""
    after: str = ""
    name: str = ""

    @property
    def alone(self) -> bool:
        """Whether it is all there is in its text."""
        return not (self.before.strip() or self.after.strip())


def whole(candidate: Candidate) -> int:
    """All of it, whatever it is: the pattern says enough."""
    return len(candidate.found)


def _whole_if(candidate: Candidate, valid: bool) -> int:
    return len(candidate.found) if valid else 0


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in map(int, digits[-2::-2])]
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def card(candidate: Candidate) -> int:
    """A card's number: in an issuer's range, of its length, with the right check digit.

    Digits in a row under the name of an id, a time or a quantity are none: one in forty of sixteen passes all that.
    """
    digits = re.sub(r"\D", "", candidate.found)
    issued = any(first.match(digits) and len(digits) in lengths for first, lengths in _ISSUERS)
    if not issued or len(set(digits)) == 1 or not luhn(digits):
        return 0
    return _whole_if(candidate, not (candidate.found.isdigit() and candidate.alone and of_ids(candidate.name)))


def iban(candidate: Candidate) -> int:
    """An account's number: of its country's length, with the right check digits; what follows it is left."""
    taken = 0
    compact = ""
    while taken < len(candidate.found) and len(compact) < IBAN_LENGTHS[candidate.found[:2]]:
        compact += candidate.found[taken].strip(" -")
        taken += 1
    if len(compact) < IBAN_LENGTHS[candidate.found[:2]] or candidate.found[taken : taken + 1].isalnum():
        return 0
    moved = compact[4:] + compact[:4]
    return taken if int("".join(str(int(c, 36)) for c in moved)) % 97 == 1 else 0


def ssn(candidate: Candidate) -> int:
    """A US social security number out of the ranges that are given out."""
    area, group, serial = candidate.found.split("-")
    given_out = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
    return _whole_if(candidate, given_out and not re.match(r"-\w", candidate.after))


def phone(candidate: Candidate) -> int:
    """A telephone's number with the prefix of its country, as that country gives out."""
    number = re.sub(r"^00", "+", candidate.found.replace("(0)", ""))
    if _PLACE_ON_EARTH.fullmatch(number):
        return 0
    try:
        return _whole_if(candidate, phonenumbers.is_valid_number(phonenumbers.parse(number)))
    except NumberParseException:
        return 0


def phone_at_home(candidate: Candidate) -> int:
    """A telephone's number as it is written at home: given out, and its area told apart as there usual.

    Under an id's name it is none.
    """
    goes_on = re.search(r"\d[ ./-]?$", candidate.before) or re.match(r"[-./ ]?\d|-\w", candidate.after)
    if goes_on or of_ids(candidate.name):
        return 0
    number = _COUNTRY_WITHOUT_PLUS.sub("", candidate.found)
    return _whole_if(candidate, any(_is_written(number, country) for country in _countries(number)))


def _countries(number: str) -> Sequence[str]:
    """Those whose numbers may begin as this one does."""
    (beginning, *_) = _FIRST_DIGITS.findall(number)
    if not beginning.startswith("0"):
        return _WITHOUT_ZERO
    return _IN_PAIRS if len(beginning) == 2 else _WITH_ZERO


def _is_written(number: str, country: str) -> bool:
    """Whether a country gives out the number, and writes its first digits apart from the others as it is here."""
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException:
        return False
    if not phonenumbers.is_valid_number(parsed):
        return False
    usual = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    return _FIRST_DIGITS.findall(usual)[:1] == _FIRST_DIGITS.findall(number)[:1]


def ip_v4(candidate: Candidate) -> int:
    """An address of a host in the net: no version, no network, none of the special ones."""
    address = ipaddress.ip_address(candidate.found)
    octets = candidate.found.split(".")
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_reserved
    # Of addresses whose every part is below ten there are two in a million; of versions these are most.
    version = all(len(octet) == 1 for octet in octets) or octets[2:] == ["0", "0"] or octets[0] == "0"
    goes_on = re.match(r"\.\d|[-+_][A-Za-z]|/(?:[0-9]|[12][0-9]|3[01])\b", candidate.after)
    said = of_machines(candidate.name) or _VERSION_BEFORE.search(candidate.before[-24:])
    return _whole_if(candidate, not (special or version or goes_on or said))


def ip_v6(candidate: Candidate) -> int:
    """An address of a host; a network of 48 bits or less is none."""
    try:
        ipaddress.ip_address(candidate.found)
    except ValueError:
        return 0
    groups = [group for group in candidate.found.split(":") if group]
    network = candidate.found.endswith("::") and len(groups) <= 3
    return _whole_if(candidate, len(groups) >= 3 and not network and not re.match(r"[\w:]", candidate.after))
