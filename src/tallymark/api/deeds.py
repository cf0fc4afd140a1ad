"""What was done to something, as the API tells it."""

from typing import Any, TypedDict

from tallymark.control.audit import Audit, Deed
from tallymark.spec.project import instant_text


class PublicDeed(TypedDict):
    """What somebody did: `by` is the label and the beginning of the key, `detail` what changed."""

    at: str
    action: str
    by: str
    detail: dict[str, Any]


class ManyDeeds(TypedDict):
    """What was done, newest first."""

    audit: list[PublicDeed]


def public_deeds(audit: Audit, project_id: int, subject: str) -> ManyDeeds:
    """What was done to a subject of a project; nothing where nobody knows it."""
    return {"audit": [_public_deed(deed) for deed in audit.list(project_id, subject)]}


def _public_deed(deed: Deed) -> PublicDeed:
    return {"at": instant_text(deed.at), "action": deed.action, "by": deed.by, "detail": dict(deed.detail)}
