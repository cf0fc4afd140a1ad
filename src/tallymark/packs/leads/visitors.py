"""Who a request's visitor is, as far as they let themselves be followed, and what they said before."""

from typing import Final

from tallymark.api.services import Services
from tallymark.ingest import pii
from tallymark.packs.leads.form import Consents
from tallymark.packs.leads.origins import visitor
from tallymark.spec.project import Project

#: The purpose without which a visitor is not followed beyond the day.
ANALYTICS: Final = "analytics"
_GRANTED: Final = "granted"


def may_follow(here: Services, project: Project, visitor_id: str, said: Consents) -> bool:
    """Whether a visitor may be known by their id: yes, unless they said no, now or last."""
    if ANALYTICS in said:
        return said[ANALYTICS] == _GRANTED
    if not visitor_id:
        return True
    last = here.people.latest_consent(project.id, subject(here, project, visitor_id), ANALYTICS)
    return last is None or last.state == _GRANTED


def subject(here: Services, project: Project, visitor_id: str) -> str:
    """What the consent log calls a visitor."""
    return f"v:{here.receiver.enricher.actor(project.id, visitor_id):016x}"


def visitor_for(origin: int) -> str:
    """The visitor of the day, '' where the address is not known."""
    return visitor(origin) if origin else ""


def clean(text: str) -> str:
    """A text of the sender's that is kept as it is, without addresses and the like in it."""
    redacted: str = pii.redacted(text)
    return redacted
