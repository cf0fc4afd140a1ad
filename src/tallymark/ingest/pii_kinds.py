"""The kinds of personal data: each with a pattern in RE2's syntax, and what else must hold of a match.

A pattern with a group means the group; what stands before it only sets it apart.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallymark.ingest.pii_numbers import (
    IBAN_LENGTHS,
    Candidate,
    card,
    iban,
    ip_v4,
    ip_v6,
    phone,
    phone_at_home,
    ssn,
    whole,
)


@dataclass(frozen=True)
class Detector:
    """A pattern of a kind, and the check that gives how many characters of a match are one.

    Where counting all the characters of a match in a scan for all kinds would take too many states, `hint` is a pattern
    for that scan: it matches wherever the other does, and elsewhere.
    """

    kind: str
    pattern: str
    check: Callable[[Candidate], int]
    hint: str = ""


#: Neither a letter nor a digit, nor part of a longer number, comes before.
_APART: Final = r"(?:^|[^0-9A-Za-z_.\-])"

#: Neither a letter nor a digit comes before; and no underscore.
_NO_LETTER: Final = r"(?:^|[^0-9A-Za-z])"
_NO_WORD: Final = r"(?:^|[^0-9A-Za-z_])"

#: An @, as it is or as HTML writes it.
_AT: Final = re.compile("@|&#0*64;|&#[xX]0*40;|&commat;")

#: A number as it is written at home stands in no path.
_AT_HOME: Final = r"(?:^|[^0-9A-Za-z_.\-/+])"

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

#: Ends of names of files and packages, which follow an @ as those of hosts do: `icon@2x.png`.
_ENDS: Final = (
    "png jpg jpeg gif svg webp avif ico bmp css js mjs cjs ts tsx jsx json html htm php xml map min woff ttf otf mp3 "
    "mp4 webm pdf tgz gz tar exe dll beta alpha rc canary next snapshot"
)
_OF_FILES: Final = frozenset(_ENDS.split())


def _email(candidate: Candidate) -> int:
    """An address, but not that of a version, a picture for a dense screen, or a repository."""
    local, _, host = _AT.sub("@", candidate.found).rpartition("@")
    versioned = re.match(r"[0-9]+(?:\.[0-9]+)?x\.|[0-9]+\.[0-9]+", host) or host.rpartition(".")[2].lower() in _OF_FILES
    return 0 if versioned or ".." in local or local == "git" else len(candidate.found)


def _random(candidate: Candidate) -> int:
    """What has a digit and letters of both cases, or several digits: no words."""
    tail = candidate.found.partition("-")[2] or candidate.found
    digits, cases = sum(map(str.isdigit, tail)), tail.lower() != tail != tail.upper()
    return len(candidate.found) if digits >= 3 or (digits and cases) else 0


#: How far it is, how much fits in, what a shop sells, and no street: `5 Minute Drive`, `2 TB Hard Drive`.
_NO_STREET: Final = re.compile(
    r"(?:Minute|Hour|Mile|Day|Star|Way|[KMGT]B|Hard|Flash|State|SSD|HDD|USB|Tape|Thumb|Wheel|Dis[ck]|Optical|[CK]arat|"
    r"Inch|Speed|Port|Bay|Ton|Gear|Piece|Pack|Set|Eleven|Volt|Watt)s? \w+\.?$"
)
#: What may follow the name of a street in an address; any other word makes it a title: `10 Great Road Trips`.
_ADDRESS_GOES_ON: Final = re.compile(
    r"\.{0,2}\s*(?:$|[,;\n)|/#&<>\"']|[0-9]|(?:apt|suite|unit|floor|flat|[ns]?[ew]|[ns])\b)", re.IGNORECASE
)


def _street(candidate: Candidate) -> int:
    """A house in a street: nothing that starts with a year, or goes on like a title."""
    number = re.match(r"[0-9]+", candidate.found)
    year = number is not None and 1900 <= int(number[0]) <= 2099
    title = year or _NO_STREET.search(candidate.found) or not _ADDRESS_GOES_ON.match(candidate.after)
    return 0 if title else len(candidate.found)


_KEY_SHAPES: Final = (
    r"(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}|"
    r"gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{20,}|xox[abeprs]-[0-9A-Za-z\-]{10,}|xapp-[0-9A-Za-z\-]{20,}|"
    r"AIza[0-9A-Za-z_\-]{35}|ya29\.[0-9A-Za-z_\-]{20,}|GOCSPX-[0-9A-Za-z_\-]{20,}|glpat-[0-9A-Za-z_\-]{20,}|"
    r"npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_\-]{50,}|hf_[0-9A-Za-z]{30,}|SG\.[0-9A-Za-z_\-]{16,}\.[0-9A-Za-z_\-]{16,}|"
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dop_v1_[0-9a-f]{64}|tm_(?:ingest|read|admin)_[0-9A-Za-z]{20,}|"
    r"hooks\.slack\.com/services/[0-9A-Za-z/]{20,}"
)

#: The beginnings of these: runs of them, each counted by itself, have more states than fit into any memory.
_KEY_BEGINNINGS: Final = re.sub(r"\{[0-9]{2},?\}[^|]*", "{4}", _KEY_SHAPES)
_JWT_BEGINNING: Final = r"\beyJ[A-Za-z0-9_\-]{8,}\."
_IBAN: Final = rf"(?:{'|'.join(IBAN_LENGTHS)})[0-9]{{2}}(?:[ \-]?[A-Z0-9])"

_ENGLISH_STREETS: Final = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Terrace|Crescent|Parkway|Pkwy"
)

#: The first that finds something keeps it.
DETECTORS: Final = (
    Detector("jwt", r"\b(eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?)", whole, _JWT_BEGINNING),
    Detector("jwt", r"\b(eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){3}\.[A-Za-z0-9_\-]{16,})", whole, _JWT_BEGINNING),
    Detector(
        "secret",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:[^\-]*-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----)?",
        whole,
    ),
    Detector("secret", rf"{_NO_WORD}({_KEY_SHAPES})", whole, f"{_NO_WORD}(?:{_KEY_BEGINNINGS})"),
    Detector("secret", r"(?:^|[^0-9A-Za-z_\-])(sk-[0-9A-Za-z_\-]{20,})", _random),
    Detector("secret", r"(?i)\b(bearer(?:\s|%20|\+)+[a-z0-9._~+/\-]{16,}=*)", _random),
    Detector("secret", r"[a-zA-Z][a-zA-Z0-9+.\-]*://([^\s:/@\"<>?#]*:[^\s:/@\"<>?#]+)@", whole),
    Detector("party", r"\b0[xX][0-9a-fA-F]{40}\b", whole),
    Detector("party", r"[0-9A-Za-z_\-]+::1220[0-9a-fA-F]{64}\b", whole),
    Detector("iban", rf"{_NO_LETTER}({_IBAN}{{11,31}})\b", iban, rf"{_NO_LETTER}{_IBAN}{{11}}"),
    Detector("card", rf"{_APART}([2-6][0-9]{{3}}(?:[ \-+.]?[0-9]{{4}}){{3}}(?:[ \-+.]?[0-9]{{3}})?)\b", card),
    Detector("card", rf"{_APART}(3[0-9]{{3}}[ \-+.]?[0-9]{{6}}[ \-+.]?[0-9]{{4,5}})\b", card),
    Detector("ssn", rf"{_APART}([0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}})\b", ssn),
    Detector(
        "email",
        rf"[\pL\pN_%+][\pL\pN\pM._%+'\-]*(?:{_AT.pattern})(?:[\pL\pN][\pL\pN\pM\-]*[.\x{{3002}}])+(?:xn--[A-Za-z0-9\-]+|\pL[\pL\pM]+)",
        _email,
    ),
    Detector(
        "email",
        r"(?i)[a-z0-9][a-z0-9._%+\-]* ?[\[({] ?at ?[\])}] ?[a-z0-9\-]+(?:(?: ?[\[({] ?dot ?[\])}] ?|\.)[a-z0-9\-]+)+",
        whole,
    ),
    Detector("ip", rf"(?:^|[^0-9A-Za-z._\-/]|(?:^|[^0-9A-Za-z])/)({_OCTET}(?:\.{_OCTET}){{3}})\b", ip_v4),
    Detector(
        "ip",
        r"(?i)(?:^|[^0-9a-z_:.])((?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])"
        r"(?:(?::[0-9a-f]{1,4}){7}|(?::[0-9a-f]{1,4}){0,6}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?))",
        ip_v6,
    ),
    Detector("phone", r"(?:^|[^0-9A-Za-z+])(\+[1-9](?:[ ().\-/]{0,3}[0-9]){6,14})\b", phone),
    Detector("phone", rf"{_APART}(00[1-9][0-9]{{0,2}}[ ./\-](?:[ ().\-/]{{0,3}}[0-9]){{6,12}})\b", phone),
    Detector(
        "phone",
        rf"{_AT_HOME}((?:1[ .\-])?(?:\([2-9][0-9]{{2}}\)[ \-]?|[2-9][0-9]{{2}}[ .\-])"
        r"[2-9][0-9]{2}[ .\-][0-9]{4})\b",
        phone_at_home,
    ),
    Detector("phone", rf"{_AT_HOME}(0[1-9](?:[ .\-][0-9]{{2}}){{4}})\b", phone_at_home),
    Detector(
        "phone",
        rf"{_AT_HOME}((?:\(0[1-9][0-9]{{1,4}}\) ?|0[1-9][0-9]{{1,4}}[ ./\-])(?:[ .\-]?[0-9]){{5,9}})\b",
        phone_at_home,
    ),
    Detector(
        "address",
        rf"\b([1-9][0-9]{{0,4}}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z0-9][A-Za-z0-9'.\-]* ){{1,3}}(?:{_ENGLISH_STREETS}))\b",
        _street,
    ),
    Detector(
        "address",
        r"(?:\p{Lu}[\p{Ll}\-]*(?:stra(?:ß|ss)e|str\.|gasse|allee)|\p{Lu}\p{Ll}+(?:[ \-]\p{Lu}\p{Ll}+)?[ \-]"
        r"(?:Stra(?:ß|ss)e|Str\.|Gasse|Allee)) [1-9][0-9]{0,3}(?: ?[a-z]\b)?",
        whole,
    ),
    Detector(
        "address",
        r"\b([1-9][0-9]{0,3}(?: bis| ter)?,? (?:rue|avenue|boulevard|impasse|chemin|quai) "
        r"(?:de |du |des |la |le |les |l'|d')*\p{Lu}[\p{L}'\-]+)",
        whole,
    ),
)
