"""A smoke test: what a pack sends to a running server, and what the server has to say then.

Paths are names and places in JSON, joined by dots: `metrics.page_views.value`, `rejected.0.reason`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

#: What smoke tests call what has to have a name: events, counters, forms, experiments.
SMOKE = "smoke"


@dataclass(frozen=True)
class Trial:
    """One carrying out of a pack's test: in which project, the id that its samples bear, when in the project's zone.

    No other trial has the id. Who carries it out is an admin of the project.
    """

    project: str
    id: str
    now: datetime

    @property
    def actor(self) -> str:
        """Who the samples are of."""
        return f"{SMOKE}-{self.id}"

    @property
    def at(self) -> str:
        """The samples' time, as JSON."""
        return self.now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def day(self) -> date:
        """The samples' day."""
        return self.now.date()

    @property
    def marks(self) -> dict[str, str]:
        """The properties by which everybody sees what a sample is."""
        return {SMOKE: self.id}


@dataclass(frozen=True)
class Call:
    """A request."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = None


@dataclass(frozen=True)
class Step:
    """A call that is answered with one of `status`; then `says` is what stands at paths of the answer.

    It is sent so many `times`; all its answers have the same at the paths `same`.
    """

    name: str
    call: Call
    status: tuple[int, ...] = (200,)
    says: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class Growth:
    """Numbers that the samples make larger: by how much, by their paths in the answer to a call.

    `shared`: other events of the project are in them too, so that they may grow more where others send.
    """

    name: str
    call: Call
    by: Mapping[str, int]
    shared: bool = False


@dataclass(frozen=True)
class Smoke:
    """The test of a pack: steps before its numbers are looked at, those that bring samples, and what these show.

    `tidy` comes last, whatever happened.
    """

    prepare: Sequence[Step] = ()
    samples: Sequence[Step] = ()
    shown: Sequence[Growth] = ()
    tidy: Sequence[Step] = ()
