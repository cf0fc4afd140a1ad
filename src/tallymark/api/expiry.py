"""When something stops being good, as bodies say it."""

from datetime import UTC, datetime
from typing import Final, cast

from tallymark.errors import BadRequest

EXPIRY_RULE: Final = "an instant to come in ISO 8601, such as 2030-01-31 or 2030-01-31T12:00:00Z; UTC without a zone"


def read_expiry(value: object, what: str) -> datetime | None:
    """The instant from which on `what` is good for nothing; None for never. Errors: `BadRequest`."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(cast(str, value))
        expires_at = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        expires_at = None
    if expires_at is None or expires_at <= datetime.now(UTC):
        raise BadRequest(f"{what}'s expiry is {EXPIRY_RULE}.", field="expiresAt", allowed=[EXPIRY_RULE])
    return expires_at
