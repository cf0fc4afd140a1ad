"""Names of the web contract's events and properties."""

from typing import Final

from tallymark.packs.leads.names import OF_FORM

PAGE_VIEW: Final = "page_view"
FORM_START: Final = "form_start"
FORM_SUBMIT: Final = "form_submit"
CLICK: Final = "click"
OUTBOUND: Final = "outbound_click"
DOWNLOAD: Final = "file_download"
ENGAGEMENT: Final = "engagement"
LEAD: Final = OF_FORM
CONSENT: Final = "consent_given"
WITHDRAWAL: Final = "consent_withdrawn"

#: Of a lead's event: whether it is the lead's first one.
NEW_LEAD: Final = "newLead"

#: What a page measures; `MORE` marks an event that adds to what an earlier one of the same view measured.
ENGAGED: Final = "engagedTimeMs"
SCROLLED: Final = "scrollDepthPercent"
MORE: Final = "more"
TTFB, FCP, LCP, INP, CLS = "ttfbMs", "fcpMs", "lcpMs", "inpMs", "clsScore"

#: What the mix of sources calls page views that say nothing of where they came from.
UNKNOWN_CHANNEL: Final = "unknown"
