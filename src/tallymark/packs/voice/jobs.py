"""What the voice pack does by the clock: exchanges are joined, and answers are judged."""

from collections.abc import Sequence
from typing import Final

from tallymark.api.services import Services
from tallymark.packs.product import Job
from tallymark.packs.voice.exchanges import Exchanges

_JOIN_SECONDS: Final = 2


def jobs(here: Services) -> Sequence[Job]:
    """Each with every how many seconds."""
    return [("voice exchanges", Exchanges(here).keep, _JOIN_SECONDS)]
