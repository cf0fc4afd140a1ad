"""What a form of a website is told as: which one is the same, and the event of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallymark.ingest.decode import WireEvent
from tallymark.ingest.page import LONGEST
from tallymark.packs.leads.draft import Telling
from tallymark.packs.leads.form import LeadForm
from tallymark.packs.web import names
from tallymark.packs.web.address import address_of, surroundings
from tallymark.packs.web.sent import Arrival
from tallymark.packs.web.web_event import WebEvent
from tallymark.spec.session import CONVERSION


def telling(form: LeadForm, arrival: Arrival) -> Telling:
    """A form is the same by the id that it was given, or by all that it says on a day."""

    def same(at: datetime) -> Sequence[object]:
        if form.submission_id:
            return "id", form.submission_id
        return "content", form.form, form.payload, at.date()

    def event(event_id: str, at: datetime, new: bool) -> WireEvent:
        return _event(form, arrival, event_id, at, new)

    return Telling(same, event, traced=True)


def _event(form: LeadForm, arrival: Arrival, event_id: str, at: datetime, new: bool) -> WireEvent:
    """Nothing of what the person wrote."""
    properties: dict[str, Any] = {names.NEW_LEAD: new, CONVERSION: True}
    if form.form:
        properties["form"] = form.form
    page = WebEvent(url=form.url, path=form.path, utm=dict(form.utm))
    return WireEvent(
        event=names.LEAD,
        timestamp=at,
        event_id=event_id,
        url=address_of(page, surroundings(arrival.origin, arrival.referer, relayed=False)),
        referrer=form.referrer[:LONGEST] or None,
        properties=properties,
    )
