"""What the voice pack does by the clock: exchanges are joined, and answers are judged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tallymark.api.services import Services
from tallymark.packs.product import Job
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.packs.voice.exchanges import Exchanges

_JOIN_SECONDS: Final = 2
_JUDGE_SECONDS: Final = 60
_PRUNE_SECONDS: Final = 3_600


def jobs(here: Services) -> Sequence[Job]:
    """Each with every how many seconds. What this process had claimed when it ended the last time is let go of."""
    evaluating = Evaluating.of(here)
    here.evaluation_queue.recover(datetime.fromtimestamp(here.now(), UTC))
    return [
        ("voice exchanges", Exchanges(here).keep, _JOIN_SECONDS),
        ("voice evaluation", evaluating.every_minute, _JUDGE_SECONDS),
        ("evaluations", evaluating.prune, _PRUNE_SECONDS),
    ]
