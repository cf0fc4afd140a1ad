"""Attempts: what was sent of each, in whatever order, made into one event soon after it is there.

One is there from its first part on, open; what comes later changes it, and repairs its day. One that nobody ended is
abandoned once nothing of it has come for as long as is set; a submission after that is one all the same.
"""

from dataclasses import dataclass
from datetime import timedelta

from tallymark.api.services import Services
from tallymark.packs.derived import Derivation, Deriving
from tallymark.packs.quiz.attempt_sql import REACH, around, void_attempts, write_attempts
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.packs.quiz.names import ATTEMPT, PARTS


@dataclass(frozen=True)
class Attempts(Deriving):
    """Keeps the attempts of projects true. One that nobody ended is abandoned after `patience`."""

    what = Derivation(
        CONTRACT.pack, "attempts", ATTEMPT, PARTS, REACH, write_attempts(), void_attempts(), around()
    )  # fmt: skip

    @classmethod
    def of(cls, here: Services) -> "Attempts":
        """Attempts as the settings have them."""
        return cls(here, timedelta(minutes=here.settings.quiz_abandon_minutes))
