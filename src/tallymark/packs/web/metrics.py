"""The web pack's declarations.

A visitor is an actor with a page view; a session ends after 30 minutes of silence and belongs to the day it began.
Bots are left out of everything here.
"""

from tallymark.spec.condition import Column, Positive, Prop, event, human
from tallymark.spec.measure import Rows, actors, count, moments, quantiles
from tallymark.spec.metric import Dimension, Mean, Metric, Newcomers, Plain, Quantile, Ratio, shared
from tallymark.spec.pack import Pack

VIEW = event("page_view") & human()
VISIT = Positive(Column("views"))

VIEWS = count(VIEW)
VISITORS = actors(VIEW)
SESSIONS = count(VISIT, Rows.SESSIONS)
BOUNCES = count(VISIT & Positive(Column("bounced")), Rows.SESSIONS)

_VITALS = (
    ("ttfb", "ttfbMs", "Time to first byte", "ms"),
    ("fcp", "fcpMs", "First contentful paint", "ms"),
    ("lcp", "lcpMs", "Largest contentful paint", "ms"),
    ("inp", "inpMs", "Interaction to next paint", "ms"),
    ("cls", "clsScore", "Cumulative layout shift", "number"),
)


def _vital(name: str, prop: str, label: str, unit: str) -> tuple[Metric, Metric]:
    seen = quantiles(Prop(prop), human())
    shown = "ms" if unit == "ms" else "number"
    return (
        Metric(f"{name}_p75", f"{label}, p75", f"{label}: three of four page loads were at most this.",
               Quantile(0.75, seen), unit=shown, good="down"),  # type: ignore[arg-type]  # one of two literals
        Metric(f"{name}_p95", f"{label}, p95", f"{label}: 19 of 20 page loads were at most this.",
               Quantile(0.95, seen), unit=shown, good="down"),  # type: ignore[arg-type]  # one of two literals
    )  # fmt: skip


METRICS = (
    Metric("page_views", "Page views", "Pages seen by people.", Plain(VIEWS), good="up"),
    Metric("visitors", "Visitors", "Distinct visitors who saw a page.", Plain(VISITORS), good="up"),
    Metric("new_visitors", "New visitors", "Visitors whose first event ever lies in the window.",
           Newcomers(VISITORS), good="up"),
    Metric("returning_visitors", "Returning visitors", "Visitors first seen before the window began.",
           Newcomers(VISITORS, returning=True), good="up"),
    Metric("returning_share", "Returning share", "Returning visitors over all visitors.",
           Newcomers(VISITORS, returning=True, share=True), unit="share"),
    Metric("sessions", "Sessions", "Visits with a page view; 30 minutes of silence end one.",
           Plain(SESSIONS), good="up"),
    Metric("views_per_session", "Pages per session", "Page views in sessions over sessions.",
           Mean(moments(Column("views"), VISIT, Rows.SESSIONS)), unit="number", good="up"),
    Metric("bounce_rate", "Bounce rate", "Share of sessions with a single page view and no other event.",
           Ratio(BOUNCES, SESSIONS), unit="share", good="down"),
    Metric("session_duration", "Session duration", "Mean time between a session's first and last event.",
           Mean(moments(Column("duration"), VISIT, Rows.SESSIONS)), unit="seconds", good="up"),
    Metric("entrances", "Entrances", "Sessions by the page they began on; break down by entry_path.",
           Plain(SESSIONS), good="up"),
    Metric("exits", "Exits", "Sessions by the page they ended on; break down by exit_path.", Plain(SESSIONS)),
    Metric("views_per_visitor", "Pages per visitor", "Page views over distinct visitors.",
           Ratio(VIEWS, VISITORS), unit="number", good="up"),
    Metric("bot_views", "Bot page views", "Pages fetched by known bots; page views leave them out.",
           Plain(count(event("page_view") & ~human()))),
    Metric("other_requests", "Other requests",
           "Requests of an access log that are no page views, of people and bots: feeds, assets, failures, redirects, "
           "other methods.",
           Plain(count(event("request")))),
    *(metric for vital in _VITALS for metric in _vital(*vital)),
)  # fmt: skip

DIMENSIONS = (
    shared("host", "Host", "Host of the page."),
    Dimension("path", "Page", "Path of the page.", Column("path"), None),
    Dimension("entry_path", "Entry page", "First page of the session.", None, Column("entry_path")),
    Dimension("exit_path", "Exit page", "Last page of the session.", None, Column("exit_path")),
    shared("source", "Source", "Where the visit came from, by name: Google, newsletter, (direct), …"),
    shared("channel", "Channel", "Kind of source: direct, organic_search, paid_search, social, email, referral, …"),
    shared("medium", "Medium", "utm_medium."),
    shared("campaign", "Campaign", "utm_campaign."),
    shared("referrer_host", "Referrer", "Host of the page that linked here."),
    Dimension("request_kind", "Kind of request", "What an access log's request was: feed, asset, failed, …",
              Prop("kind"), None),
)  # fmt: skip

PACK = Pack("web", "Web traffic", "Page views, visitors, sessions and where they came from.", METRICS, DIMENSIONS)
