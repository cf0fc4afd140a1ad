"""What may stand under a telling name: whether a text can be the data that its name promises."""

import ipaddress
import re

from tallymark.ingest.pii_readings import ways

_FOR_NOTHING = (
    "true false yes no on off set unset not_set granted denied given verified unverified confirmed unconfirmed pending "
    "unknown none null nil undefined n/a na anonymous guest redacted removed hidden masked missing empty default "
    "required optional valid invalid changed unchanged updated added present absent provided weak medium strong reset "
    "forgot forgotten expired revoked active inactive enabled disabled enter show hide"
)
_WORDS_FOR_NOTHING = frozenset(_FOR_NOTHING.split())
_STANDS_FOR = re.compile(r"\[[a-z]+\]|[*•x.\-_ ]+|#+", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGEST = re.compile(r"(?:\w{2,12}[:$-])?(?:[0-9a-fA-F]{32,128}|[A-Za-z0-9+/_-]{42,86}={1,2})")
_AT = re.compile(r"@|[\[( ]at[\]) ]", re.IGNORECASE)
_MONTH = re.compile(r"jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]", re.IGNORECASE)
_OF_INSTANTS = re.compile("[TZ]")
_PORT = re.compile(r":[0-9]{1,5}$")
#: Addresses of a list that are looked at, and characters of one at most: IPv6 in brackets with zone and port.
_MOST_ADDRESSES = 20
_LONGEST_ADDRESS = 80


def something(text: str, kind: str) -> bool:
    """Whether a text is more than a word for nothing, a mask, an id or a digest; a secret may look like one."""
    bare = text.strip()
    if not bare or bare.lower() in _WORDS_FOR_NOTHING or _STANDS_FOR.fullmatch(bare):
        return False
    return kind == "secret" or not (_UUID.fullmatch(bare) or _DIGEST.fullmatch(bare))


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def email(text: str) -> bool:
    """With an @ in any spelling: `weekly` is none."""
    return any(_AT.search(way) for way in ways(text))


def phone(text: str) -> bool:
    """Six digits or more and hardly a letter: `iPhone 15` is none."""
    return 6 <= _digits(text) <= 20 and _letters(text) <= 6


def name(text: str) -> bool:
    """Letters, and no path, formula or tag."""
    return _letters(text) > 0 and len(text) <= 120 and not re.search(r"[/\\=<>{}]", text)


def street(text: str) -> bool:
    """Letters, and no address of a page."""
    return _letters(text) >= 3 and len(text) <= 200 and "://" not in text


def address(text: str) -> bool:
    """Several words with a number or a comma, for `address` may be that of a page or a wallet too."""
    return street(text) and " " in text.strip() and (_digits(text) > 0 or "," in text)


def birthdate(text: str) -> bool:
    """A day in figures or with its month in letters; a year alone is none."""
    if _letters(text) > 12 or (_letters(text) and not _OF_INSTANTS.search(text) and not _MONTH.search(text)):
        return False
    return _digits(text) >= 5 or (_digits(text) == 4 and not text.isdigit())


def ssn(text: str) -> bool:
    """The last four digits or more."""
    return 4 <= _digits(text) <= 10 and _letters(text) <= 2


def document(text: str) -> bool:
    """Digits with few letters: the country of a passport is none."""
    return _digits(text) >= 4 and len(text) <= 30


def card(text: str) -> bool:
    """As many digits as cards have; whoever mistypes one types the others."""
    return 12 <= _digits(text) <= 19 and not _letters(text)


def check_code(text: str) -> bool:
    """Three or four digits."""
    return text.isdigit() and 3 <= len(text) <= 4


def iban(text: str) -> bool:
    """What begins as an account's number does, whether its check digits are right or not."""
    return re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}", re.sub(r"[\W_]", "", text).upper()) is not None


def ip(text: str) -> bool:
    """One address or several with commas, ports allowed; not the machine's own."""
    return any(_is_address(part.strip()) for part in text.split(",", _MOST_ADDRESSES)[:_MOST_ADDRESSES])


def _is_address(text: str) -> bool:
    if len(text) > _LONGEST_ADDRESS:
        return False
    for form in (text, _PORT.sub("", text), _PORT.sub("", text).strip("[]")):
        try:
            found = ipaddress.ip_address(form)
        except ValueError:
            continue
        return not (found.is_unspecified or found.is_loopback)
    return False


def secret(text: str) -> bool:
    """Four characters or more."""
    return len(text) >= 4
