"""The closed set of reasons for refusing an event."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a single event was refused; counted per project and day, and told to the sender.

    Those that begin with `lead_` are of captured leads.
    """

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
    UNKNOWN_NAME = "unknown_name"
    TOO_MANY_NAMES = "too_many_names"
    LEAD_BAD_EMAIL = "lead_bad_email"
    LEAD_MALFORMED = "lead_malformed"
