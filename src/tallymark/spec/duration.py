"""How long something may take, as people write it: `30m`, `12h`, `7d`."""

import re
from typing import Final

from tallymark.errors import BadRequest

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WRITTEN: Final = re.compile(r"([0-9]{1,9})([dhms])")

#: The longest there is: a year.
LONGEST: Final = 366 * 86_400


def seconds(text: str, field: str) -> int:
    """The seconds that a text means, from 1 to a year. Errors: `BadRequest`."""
    written = _WRITTEN.fullmatch(text)
    number = int(written[1]) * _UNITS[written[2]] if written else 0
    if not 1 <= number <= LONGEST:
        raise BadRequest(
            f"{field} can't be {text[:40]!r}: it is a number and a unit, from 1s to 366d.",
            field=field,
            allowed=["30m", "12h", "7d"],
        )
    return number


def written(seconds: int) -> str:
    """The shortest text that means so many seconds."""
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
