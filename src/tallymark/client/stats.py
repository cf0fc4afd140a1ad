"""What became of the events that a client was given."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stats:
    """Events by what became of them; each call stands in exactly one of the first six.

    `sent` are those that went out in a request, whatever was answered; `retries` are requests that were sent again.
    """

    queued: int
    accepted: int
    rejected: int
    failed: int
    dropped: int
    invalid: int
    sent: int
    retries: int

    @property
    def calls(self) -> int:
        """All that were ever given."""
        return self.queued + self.accepted + self.rejected + self.failed + self.dropped + self.invalid
