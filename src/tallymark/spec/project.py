"""A project: what it is, and how the public JSON of it is read and written."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, TypedDict, cast, get_args
from zoneinfo import available_timezones

from tallymark.errors import BadRequest
from tallymark.spec.metric import MOST_KEYS

Pii = Literal["reject", "redact", "allow"]
Bots = Literal["mark", "refuse"]

#: The packs there are by name, each with the public fields that it asks for in a new project.
Packs = Mapping[str, Mapping[str, object]]

MAX_RETENTION_DAYS = 3_650
MAX_QUOTA = 10**15
#: As many as rollups keep keys of a day, so that every name that was taken stays known.
MAX_EVENT_NAMES = MOST_KEYS
#: Patterns of event names that a project may have, and the longest one.
_MOST_PATTERNS, _LONGEST_PATTERN = 1_000, 200

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NAME_RULE = "1 to 64 of a-z, 0-9, '.', '_', '-', the first a letter or a digit, not digits alone"
_RETENTION = re.compile(r"([0-9]{1,6})([dh])")
_RETENTION_RULE = f"'1h' to '{MAX_RETENTION_DAYS}d', or a whole number of days"
#: Names in zone databases that are no places: a machine's own setting, and a placeholder.
_NO_ZONES = {"localtime", "Factory"}


@dataclass(frozen=True)
class Project:
    """A project as it is stored. `quota` counts events per UTC day, None is no limit.

    `event_names` are names and patterns (`wallet_*`) of the events that it takes, None takes any; `max_event_names` is
    how many different ones, None is no limit. `public_summary`: everybody may read the summary of the pack ab.
    """

    id: int
    name: str
    packs: tuple[str, ...]
    timezone: str
    retention_hours: int
    pii: Pii
    bots: Bots
    quota: int | None
    created_at: datetime
    event_names: tuple[str, ...] | None = None
    max_event_names: int | None = None
    public_summary: bool = True


@dataclass(frozen=True)
class ProjectDraft:
    """A project that is about to be made."""

    name: str
    packs: tuple[str, ...] = ()
    timezone: str = "UTC"
    retention_hours: int = 90 * 24
    pii: Pii = "redact"
    bots: Bots = "mark"
    quota: int | None = None
    event_names: tuple[str, ...] | None = None
    max_event_names: int | None = None
    public_summary: bool = True


class ProjectChange(TypedDict, total=False):
    """The fields of a project that are to change, and no others."""

    name: str
    packs: tuple[str, ...]
    timezone: str
    retention_hours: int
    pii: Pii
    bots: Bots
    quota: int | None
    event_names: tuple[str, ...] | None
    max_event_names: int | None
    public_summary: bool


class PublicProject(TypedDict):
    """A project as the API shows it."""

    id: int
    name: str
    packs: list[str]
    timezone: str
    retention: str
    pii: Pii
    bots: Bots
    quota: int | None
    eventNames: list[str] | None
    maxEventNames: int | None
    publicSummary: bool
    createdAt: str


def parse_draft(body: object, packs: Packs) -> ProjectDraft:
    """The project that a JSON object asks for; `packs` are those that there are, with the fields they ask for.

    Where the object has no such field, the first of its packs that asks for one decides.
    Errors: `BadRequest` for an unknown field, a missing name, a value that can't be used.
    """
    values = _values(body, packs)
    for name in values.get("packs", ()):
        values = {**_values(packs[name], packs), **values}
    if "name" not in values:
        raise BadRequest("A project needs a name.", field="name", allowed=[_NAME_RULE])
    return ProjectDraft(**values)


def parse_change(body: object, packs: Packs) -> ProjectChange:
    """What a JSON object asks to change; fields that it leaves out are left alone.

    Errors: `BadRequest` for an unknown field or a value that can't be used.
    """
    return cast(ProjectChange, _values(body, packs))


def public(project: Project) -> PublicProject:
    """The project as the API shows it."""
    return {
        "id": project.id,
        "name": project.name,
        "packs": list(project.packs),
        "timezone": project.timezone,
        "retention": retention_text(project.retention_hours),
        "pii": project.pii,
        "bots": project.bots,
        "quota": project.quota,
        "eventNames": None if project.event_names is None else list(project.event_names),
        "maxEventNames": project.max_event_names,
        "publicSummary": project.public_summary,
        "createdAt": instant_text(project.created_at),
    }


def retention_text(hours: int) -> str:
    """`90d` for whole days, `36h` for others."""
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"


def instant_text(instant: datetime) -> str:
    """An instant as the API shows it: ISO 8601 in UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _values(body: object, packs: Packs) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise BadRequest("A project is a JSON object.", allowed=list(_READERS))
    unknown = sorted(str(field) for field in body if field not in _READERS)
    if unknown:
        raise BadRequest(f"A project has no field {unknown[0]!r}.", field=unknown[0], allowed=list(_READERS))
    values = {}
    for field, value in body.items():
        attribute, read = _READERS[field]
        values[attribute] = read(value, packs)
    return values


def _name(value: object, _packs: Packs) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value.isdigit():
        raise BadRequest(f"{_shown(value)} can't be a project's name.", field="name", allowed=[_NAME_RULE])
    return value


def _pack_names(value: object, packs: Packs) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BadRequest(f"Packs are a list of names, not {_shown(value)}.", field="packs", allowed=sorted(packs))
    for name in value:
        if not isinstance(name, str) or name not in packs:
            raise BadRequest(f"There is no pack {_shown(name)}.", field="packs", allowed=sorted(packs))
    return tuple(dict.fromkeys(value))


def _timezone(value: object, _packs: Packs) -> str:
    if not isinstance(value, str) or value not in time_zones():
        near = difflib.get_close_matches(value, time_zones(), 5) if isinstance(value, str) else []
        allowed = near or ["names of IANA time zones, such as UTC and Europe/Berlin"]
        raise BadRequest(f"There is no time zone {_shown(value)}.", field="timezone", allowed=allowed)
    return value


@cache
def time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)


def _retention(value: object, _packs: Packs) -> int:
    hours = _hours(value)
    if hours is None or not 1 <= hours <= MAX_RETENTION_DAYS * 24:
        message = f"Events can't be kept for {_shown(value)}."
        raise BadRequest(message, field="retention", allowed=[_RETENTION_RULE])
    return hours


def _hours(value: object) -> int | None:
    """The hours that `90`, `"90d"` or `"24h"` mean; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 24
    found = _RETENTION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return int(found[1]) * (24 if found[2] == "d" else 1)


def _quota(value: object, _packs: Packs) -> int | None:
    number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_QUOTA
    if value is not None and not number:
        allowed = ["null for no limit", f"0 to {MAX_QUOTA} events a UTC day"]
        raise BadRequest(f"{_shown(value)} can't be a quota.", field="quota", allowed=allowed)
    return cast("int | None", value)


def _event_names(value: object, _packs: Packs) -> tuple[str, ...] | None:
    if value is None:
        return None
    allowed = ["null for any name", f"1 to {_MOST_PATTERNS} names; * stands for any letters, as in 'wallet_*'"]
    if not isinstance(value, list | tuple) or not 0 < len(value) <= _MOST_PATTERNS:
        raise BadRequest("Names of events are a list of names.", field="eventNames", allowed=allowed)
    for name in value:
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_PATTERN:
            raise BadRequest(f"{_shown(name)} can't be an event's name.", field="eventNames", allowed=allowed)
    return tuple(dict.fromkeys(value))


def _max_event_names(value: object, _packs: Packs) -> int | None:
    number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_EVENT_NAMES
    if value is not None and not number:
        allowed = ["null for no limit", f"1 to {MAX_EVENT_NAMES}"]
        message = f"{_shown(value)} can't be a number of event names."
        raise BadRequest(message, field="maxEventNames", allowed=allowed)
    return cast("int | None", value)


def _public_summary(value: object, _packs: Packs) -> bool:
    if not isinstance(value, bool):
        message = f"publicSummary is true or false, not {_shown(value)}."
        raise BadRequest(message, field="publicSummary", allowed=["true", "false"])
    return value


def _one_of(field: str, words: tuple[str, ...]) -> Callable[[object, Packs], str]:
    def read(value: object, _packs: Packs) -> str:
        if value not in words:
            message = f"{field} must be one of {', '.join(words)}, not {_shown(value)}."
            raise BadRequest(message, field=field, allowed=words)
        return value

    return read


def _shown(value: object) -> str:
    """A value as an error may show it, never longer than a line."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


#: Public field: the attribute it is kept in, and its reader.
_READERS: dict[str, tuple[str, Callable[[object, Packs], object]]] = {
    "name": ("name", _name),
    "packs": ("packs", _pack_names),
    "timezone": ("timezone", _timezone),
    "retention": ("retention_hours", _retention),
    "pii": ("pii", _one_of("pii", get_args(Pii))),
    "bots": ("bots", _one_of("bots", get_args(Bots))),
    "quota": ("quota", _quota),
    "eventNames": ("event_names", _event_names),
    "maxEventNames": ("max_event_names", _max_event_names),
    "publicSummary": ("public_summary", _public_summary),
}
