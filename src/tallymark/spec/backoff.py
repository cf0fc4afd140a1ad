"""When a judge is asked again after a failure."""

from typing import Final

#: An exchange that a judge failed on so often is a dead letter: it waits for somebody who has it judged again.
MOST_ATTEMPTS: Final = 8

#: Seconds.
SHORTEST: Final = 30.0
LONGEST: Final = 3_600.0
#: What a judge asks for is heeded up to here.
LONGEST_ASKED: Final = 86_400.0


def next_attempt(attempts: int, chance: float, retry_after: float | None = None) -> float | None:
    """Seconds until the next attempt after so many failed ones; None if there is none any more.

    The bound doubles with every attempt from `SHORTEST` to `LONGEST`, and `chance`, from 0 to 1, is the share of it
    that is waited ("full jitter"), so that what failed together does not come back together. It is never earlier than
    `retry_after`, the seconds that the judge asked to be left alone for.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    bound = min(LONGEST, SHORTEST * 2.0 ** max(0, attempts - 1))
    return max(bound * chance, min(retry_after or 0.0, LONGEST_ASKED))
