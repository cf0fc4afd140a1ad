"""How requests and events name a unit: one who is assigned, and whose events are counted, under the same name."""

from collections.abc import Mapping
from typing import Any, Final

#: The names that clients use; of several in one object the first here counts.
NAMES: Final = ("unitId", "unit_id", "userId", "user_id", "deviceId", "device_id")

LONGEST: Final = 512


def unit_in(said: Mapping[str, Any]) -> str | None:
    """The unit that an object names, None where it names none. Errors: `ValueError` for one that can't be a name."""
    for name in NAMES:
        if (given := said.get(name)) is not None and given != "":
            return unit_of(given)
    return None


def unit_of(given: Any) -> str:
    """A unit's name: a text, or a whole number as its digits. Errors: `ValueError`."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST:
        raise ValueError(f"A unit's id is a text of 1 to {LONGEST} characters, or a whole number.")
    return given
