"""The funnels that every property has."""

from typing import Final

from tallymark.packs.web import names
from tallymark.spec.condition import event
from tallymark.spec.funnel import Funnel, Step

_DAY: Final = 86_400

_VIEW: Final = Step("Page view", event(names.PAGE_VIEW))
_START: Final = Step("Form started", event(names.FORM_START))

FUNNELS: Final = (
    Funnel("web_forms", "Forms", (_VIEW, _START, Step("Form sent", event(names.FORM_SUBMIT))), _DAY),
    Funnel("web_leads", "Leads", (_VIEW, _START, Step("Lead captured", event(names.LEAD)))),
)
