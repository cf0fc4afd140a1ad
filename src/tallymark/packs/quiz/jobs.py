"""What the quiz pack does by the clock: attempts are made of their parts."""

from collections.abc import Sequence
from typing import Final

from tallymark.api.services import Services
from tallymark.packs.product import Job
from tallymark.packs.quiz.attempts import Attempts

_MAKE_SECONDS: Final = 2


def jobs(here: Services) -> Sequence[Job]:
    """Each with every how many seconds."""
    return [("quiz attempts", Attempts.of(here).keep, _MAKE_SECONDS)]
