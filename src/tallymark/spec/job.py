"""How a job of the clock stands: what the server says of what it does by itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class JobState:
    """A job: when it ran last in this process, for how many seconds, why that failed, and when it is due next.

    `error` is None where its last run was well, and where it has not run yet.
    """

    name: str
    last_at: datetime | None
    seconds: float | None
    error: str | None
    next_at: datetime | None
