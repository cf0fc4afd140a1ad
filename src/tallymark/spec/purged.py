"""What a purge took, step by step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Purged:
    """What a step took of a project, or of the whole installation where `project` is None.

    `note` says what else there is to know, `error` what is still there because it could not be taken.
    """

    step: str
    project: str | None
    count: int
    note: str = ""
    error: str = ""
