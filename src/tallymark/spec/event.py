"""What an event is once it is accepted: its columns, and the closed set of reasons for refusing one."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a single event was refused; counted per project and day, and told to the sender."""

    MALFORMED = "malformed"
    MISSING_EVENT = "missing_event"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    TOO_LARGE = "too_large"
    TOO_MANY_PROPERTIES = "too_many_properties"
    BAD_VALUE = "bad_value"
    PII = "pii"
    BOT = "bot"
    UNKNOWN_PROJECT = "unknown_project"
    QUOTA = "quota"


#: Columns of `events` that packs share as dimensions, with what each says.
DIMENSION_COLUMNS: dict[str, str] = {
    "event": "Name of the event",
    "host": "Host of the page",
    "path": "Path of the page",
    "referrer_host": "Host of the page that linked here",
    "source": "Where the visit came from, by name",
    "channel": "Kind of source: direct, organic_search, social, …",
    "medium": "utm_medium",
    "campaign": "utm_campaign",
    "country": "Country, ISO 3166 alpha-2",
    "device": "Kind of device",
    "browser": "Browser family",
    "os": "Operating system family",
    "bot": "Name of the bot, empty for people",
}
