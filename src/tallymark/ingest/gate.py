"""The gate: an ordered list of steps, each of which may refuse events of a batch, with a reason out of a closed set."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
import re2

from tallymark.ingest import pii
from tallymark.ingest.decode import Decoded, Rejection, WireEvent
from tallymark.ingest.pii_budget import Budget
from tallymark.ingest.traffic_source import CHANNELS
from tallymark.ingest.user_agent import DATA_CENTRE, Agent, describe, sender
from tallymark.spec.event import Reason
from tallymark.spec.project import Project, retention_text

_HOUR_MS = 3_600_000
_LONGEST_NAME = 200
_LONGEST_ID = 512
_LARGEST_VALUE = 1e15

#: Patterns of names that a refusal shows at most.
_SHOWN_PATTERNS = 20

#: Numbers below this are seconds, others milliseconds: in seconds it is the year 5138, in milliseconds 1973.
_SECONDS_BELOW = 1e11

#: A client's clock that is off by less is believed: the difference is the network's.
_BELIEVED_MS = 60_000

#: The year 2100.
_LATEST_MS = 4_102_444_800_000

_encode = msgspec.json.Encoder().encode


def nowhere(_: str) -> bool:
    """No address is a data centre's."""
    return False


@dataclass(frozen=True)
class Limits:
    """What a project's events must keep to. `past_ms` None: any age (imports)."""

    past_ms: int | None
    future_ms: int
    max_properties: int
    max_event_bytes: int

    def of(self, project: Project, imported: bool) -> "Limits":
        """Those of a project: what is older than it keeps events would be gone at once; imports have no such limit."""
        if imported or self.past_ms is None:
            return replace(self, past_ms=None)
        return replace(self, past_ms=min(self.past_ms, project.retention_hours * _HOUR_MS))


@dataclass
class Batch:
    """The events of one request on their way through the steps, all lists of one length.

    `ip` is the request's address, `hosted` whether one is a data centre's. `restamped` as in `Decoded`.
    `at` are the corrected times in epoch milliseconds, `unpinned` those whose time depends on ours;
    `agents` what sent them. A refused event has its reason in `refused` and is passed over by later steps.
    """

    project: Project
    events: list[WireEvent]
    places: list[int]
    now_ms: int
    limits: Limits
    user_agent: str
    suspicious: bool
    ip: str = ""
    hosted: Callable[[str], bool] = nowhere
    restamped: bool = False
    at: list[int] = field(default_factory=list)
    unpinned: list[bool] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    props: list[bytes] = field(default_factory=list)
    refused: dict[int, tuple[Reason, str]] = field(default_factory=dict)

    def refuse(self, index: int, reason: Reason, message: str) -> None:
        """Refuses an event, once."""
        self.refused.setdefault(index, (reason, message))


Step = Callable[[Batch], None]


def check_names(batch: Batch) -> None:
    """An event has a name, names and ids are of a sane length, and a channel is one that there is."""
    for i, e in enumerate(batch.events):
        if not 0 < len(e.event) <= _LONGEST_NAME or e.event.isspace():
            if not e.event.strip():
                batch.refuse(i, Reason.MISSING_EVENT, "The event has no name: `event` is missing or empty.")
            else:
                batch.refuse(i, Reason.TOO_LARGE, f"`event` is longer than {_LONGEST_NAME} characters.")
        elif e.channel is not None and e.channel not in CHANNELS:
            batch.refuse(i, Reason.MALFORMED, f"`channel` must be one of {', '.join(CHANNELS)}.")
        elif e.event_id is not None and not 0 < len(e.event_id) <= _LONGEST_ID:
            batch.refuse(i, Reason.MALFORMED, f"`eventId` must have 1 to {_LONGEST_ID} characters.")


def check_patterns(batch: Batch) -> None:
    """An event has one of the names that the project takes."""
    patterns = batch.project.event_names
    if patterns is None:
        return
    fits = _fitting(patterns)
    for i, e in enumerate(batch.events):
        if not fits(e.event):
            shown = ", ".join(patterns[:_SHOWN_PATTERNS]) + (", …" if len(patterns) > _SHOWN_PATTERNS else "")
            batch.refuse(i, Reason.UNKNOWN_NAME, f"This project takes events named {shown}.")


@lru_cache(maxsize=256)
def _fitting(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a name is one of those, or fits one with a `*`."""
    exact = frozenset(pattern for pattern in patterns if "*" not in pattern)
    parts = [".*".join(map(re2.escape, pattern.split("*"))) for pattern in patterns if "*" in pattern]
    if not parts:
        return exact.__contains__
    matches = re2.compile(f"(?s:{'|'.join(parts)})").fullmatch
    return lambda name: name in exact or matches(name) is not None


def check_values(batch: Batch) -> None:
    """A value is a number that sums stay exact with."""
    for i, e in enumerate(batch.events):
        if e.value is not None and not abs(e.value) <= _LARGEST_VALUE:
            batch.refuse(i, Reason.BAD_VALUE, f"`value` must be a number between -{_LARGEST_VALUE:.0e} and 1e15.")


def correct_times(batch: Batch) -> None:
    """Events get the time they happened: the client's, corrected where `sentAt` shows that its clock is wrong."""
    now = batch.now_ms
    at: int | None
    for i, e in enumerate(batch.events):
        if e.timestamp is None:
            at, pinned = now, e.event_id is None
        elif e.sent_at is None:
            at, pinned = _milliseconds(e.timestamp), True
        else:
            at, pinned = _corrected(e.timestamp, e.sent_at, now)
        if at is None:
            batch.refuse(i, Reason.BAD_TIMESTAMP, "`timestamp` and `sentAt` must lie between 1970 and 2100.")
        batch.at.append(at or 0)
        batch.unpinned.append(not pinned or (batch.restamped and e.event_id is not None))


def check_times(batch: Batch) -> None:
    """Times lie between what the project still takes and a little ahead of now."""
    limits, now = batch.limits, batch.now_ms
    latest = now + limits.future_ms
    earliest = 0 if limits.past_ms is None else now - limits.past_ms
    if batch.at and earliest <= min(batch.at) and max(batch.at) <= latest:
        return
    for i, at in enumerate(batch.at):
        if at > latest:
            minutes = limits.future_ms // 60_000
            batch.refuse(i, Reason.IN_THE_FUTURE, f"`timestamp` is more than {minutes} minutes ahead of the server.")
        elif at < earliest:
            age = retention_text((limits.past_ms or 0) // _HOUR_MS)
            batch.refuse(i, Reason.TOO_OLD, f"`timestamp` is more than {age} ago. Older events can be imported.")


def _corrected(timestamp: datetime | float, sent_at: datetime | float, now: int) -> tuple[int | None, bool]:
    """When it happened by our clock, as far as `sent_at` tells the difference, and whether that was left as given."""
    at, sent = _milliseconds(timestamp), _milliseconds(sent_at)
    if at is None or sent is None:
        return None, True
    return (at, True) if abs(now - sent) <= _BELIEVED_MS else (at + now - sent, False)


def _milliseconds(time: datetime | float) -> int | None:
    """A time in epoch milliseconds; None outside 1970 to 2100. Without a zone it is UTC."""
    if isinstance(time, datetime):
        at = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000
    else:
        at = time if abs(time) >= _SECONDS_BELOW else time * 1000
    return round(at) if 0 <= at < _LATEST_MS else None


def check_properties(batch: Batch) -> None:
    """Properties are few and small enough; they are encoded here, once."""
    limits = batch.limits
    for i, e in enumerate(batch.events):
        properties = e.properties
        if not properties:
            batch.props.append(b"{}")
            continue
        encoded = _encode(properties)
        batch.props.append(encoded)
        if len(properties) > limits.max_properties:
            batch.refuse(
                i,
                Reason.TOO_MANY_PROPERTIES,
                f"{len(properties)} properties are more than the {limits.max_properties} allowed.",
            )
        elif len(encoded) > limits.max_event_bytes:
            batch.refuse(
                i,
                Reason.TOO_LARGE,
                f"The properties are {len(encoded)} bytes long, more than the {limits.max_event_bytes} allowed.",
            )


def recognise_bots(batch: Batch) -> None:
    """What sent the events is told by the request's user agent, or by an event's own; bots are refused if so set.

    A browser in a data centre is nobody's.
    """
    shared = sender(batch.user_agent)
    batch.agents = [shared if e.user_agent is None else describe(e.user_agent) for e in batch.events]
    if batch.hosted is not nowhere:
        for i, e in enumerate(batch.events):
            if batch.agents[i].browser and batch.hosted(e.ip or batch.ip):
                batch.agents[i] = DATA_CENTRE
    if batch.project.bots == "refuse":
        for i, agent in enumerate(batch.agents):
            if agent.bot:
                batch.refuse(i, Reason.BOT, "This project takes no events of known bots.")


def guard_pii(batch: Batch) -> None:
    """Personal data in properties is redacted or the event refused, as the project says; names may have none."""
    policy = batch.project.pii
    if policy == "allow" or not batch.suspicious:
        return
    budget = Budget()
    names = ["" if i in batch.refused else e.event for i, e in enumerate(batch.events)]
    for i, clean in enumerate(pii.cleaned(names, budget=budget)):
        if clean != names[i]:
            batch.refuse(i, Reason.PII, "The event's name holds personal data.")
    if not pii.suspicious(b"\n".join(batch.props)):
        return
    for i in kept(batch):
        properties = batch.events[i].properties
        if not properties or not pii.suspicious(batch.props[i]):
            continue
        budget.next_event()
        if policy == "reject":
            if found := pii.first(properties, budget):
                message = f"`properties.{found.field}` holds personal data of the kind `{found.kind}`."
                batch.refuse(i, Reason.PII, message)
        else:
            batch.events[i].properties = clean = pii.redacted(properties, budget)
            batch.props[i] = _encode(clean)


STEPS: tuple[Step, ...] = (
    check_names,
    check_patterns,
    check_values,
    correct_times,
    check_times,
    check_properties,
    recognise_bots,
    guard_pii,
)


def admit(
    decoded: Decoded,
    project: Project,
    limits: Limits,
    now_ms: int,
    user_agent: str,
    body: bytes,
    ip: str = "",
    hosted: Callable[[str], bool] = nowhere,
) -> Batch:
    """The batch of a decoded body after every step."""
    batch = Batch(
        project, list(decoded.events), list(decoded.places), now_ms, limits, user_agent,
        project.pii != "allow" and pii.suspicious(body), ip, hosted, decoded.restamped,
    )  # fmt: skip
    for step in STEPS:
        step(batch)
    return batch


def rejections(batch: Batch) -> list[Rejection]:
    """The refused events of a batch with their places in the request."""
    return [Rejection(batch.places[i], *why) for i, why in sorted(batch.refused.items())]


def kept(batch: Batch) -> list[int]:
    """The places in the batch of the events that were not refused."""
    if not batch.refused:
        return list(range(len(batch.events)))
    return [i for i in range(len(batch.events)) if i not in batch.refused]
