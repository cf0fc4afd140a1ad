"""The web pack's declarations.

A visitor is an actor with a page view; a session ends after 30 minutes of silence and belongs to the day it began.
Bots are left out of everything but what counts them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tallymark.packs.web import names
from tallymark.packs.web.board import BOARD
from tallymark.packs.web.funnels import FUNNELS
from tallymark.spec.condition import Above, Column, Prop, column, event, flag, human, measured
from tallymark.spec.measure import AGE, Rows, actors, count, moments, quantiles, total
from tallymark.spec.metric import Dimension, Mean, Metric, Newcomers, Plain, Quantile, Ratio, Unit, shared
from tallymark.spec.pack import Pack
from tallymark.spec.session import CONVERSION

VIEW = event(names.PAGE_VIEW) & human()
VISIT = Above(Column("views"))
NEW_LEAD = event(names.LEAD) & human() & flag(names.NEW_LEAD)

VIEWS = count(VIEW)
VISITORS = actors(VIEW)
SESSIONS = count(VISIT, Rows.SESSIONS)
BOUNCES = count(VISIT & Above(Column("bounced")), Rows.SESSIONS)
CONVERTED = count(VISIT & Above(Column("converted")), Rows.SESSIONS)
ENTRANCES = total(Column("entrance"), VISIT, Rows.SESSIONS)
LANDED = total(Column("landed"), VISIT, Rows.SESSIONS)
FORM_STARTS = count(event(names.FORM_START) & human())
FORM_SUBMITS = count(event(names.FORM_SUBMIT) & human())
NEW_LEADS = count(NEW_LEAD)


class Vital(NamedTuple):
    """A web vital: up to `good` it is good, above `poor` it is poor, as web.dev sets the limits."""

    name: str
    prop: str
    label: str
    unit: Unit
    good: float
    poor: float


VITALS = (
    Vital("ttfb", names.TTFB, "Time to first byte", "ms", 800, 1_800),
    Vital("fcp", names.FCP, "First contentful paint", "ms", 1_800, 3_000),
    Vital("lcp", names.LCP, "Largest contentful paint", "ms", 2_500, 4_000),
    Vital("inp", names.INP, "Interaction to next paint", "ms", 200, 500),
    Vital("cls", names.CLS, "Cumulative layout shift", "number", 0.1, 0.25),
)


def _vital(v: Vital) -> Iterator[Metric]:
    seen = quantiles(Prop(v.prop), human())
    for percent, words in ((75, "three of four"), (95, "19 of 20")):
        yield Metric(f"{v.name}_p{percent}", f"{v.label}, p{percent}",
                     f"{v.label}: {words} page loads were at most this.",
                     Quantile(percent / 100, seen), unit=v.unit, good="down")  # fmt: skip
    slower = Above(Prop(v.prop), v.good)
    poor = Above(Prop(v.prop), v.poor)
    loads = measured(v.prop) & human()
    for name, label, where, good, limits in (
        ("good", "good", loads & ~slower, "up", f"at most {v.good:g}"),
        ("fair", "needs improvement", loads & slower & ~poor, "down", f"above {v.good:g}, at most {v.poor:g}"),
        ("poor", "poor", loads & poor, "down", f"above {v.poor:g}"),
    ):
        yield Metric(f"{v.name}_{name}", f"{v.label}, {label}",
                     f"Share of page loads whose {v.label.lower()} is {label}: {limits}.",
                     Ratio(count(where, totals_only=True), count(loads, totals_only=True)), unit="share", good=good)  # type: ignore[arg-type]  # a literal  # fmt: skip


def _measured(prop: str) -> Ratio:
    """What events say of a page view, by page views of which anything is said."""
    said = measured(prop) & human()
    return Ratio(total(Prop(prop), said), count(said & ~flag(names.MORE)))


METRICS = (
    Metric("page_views", "Page views", "Pages seen by people.", Plain(VIEWS), good="up"),
    Metric("visitors", "Visitors", "Distinct visitors who saw a page.", Plain(VISITORS), good="up"),
    Metric("new_visitors", "New visitors", "Visitors whose first event ever lies in the window.",
           Newcomers(VISITORS), good="up"),
    Metric("returning_visitors", "Returning visitors", "Visitors first seen before the window began.",
           Newcomers(VISITORS, returning=True), good="up"),
    Metric("returning_share", "Returning share", "Returning visitors over all visitors.",
           Newcomers(VISITORS, returning=True, share=True), unit="share"),
    Metric("arrivals", "Arrivals", "Page views that came from outside the site; by channel, the mix of sources.",
           Plain(count(VIEW & ~column("channel", "internal"))), good="up"),
    Metric("sessions", "Sessions", "Visits with a page view; 30 minutes of silence end one.",
           Plain(SESSIONS), good="up"),
    Metric("views_per_session", "Pages per session", "Page views in sessions over sessions.",
           Mean(moments(Column("views"), VISIT, Rows.SESSIONS)), unit="number", good="up"),
    Metric("bounce_rate", "Bounce rate",
           "Share of sessions with a single page view and no other event but engagement.",
           Ratio(BOUNCES, SESSIONS), unit="share", good="down"),
    Metric("session_duration", "Session duration", "Mean time between a session's first and last event.",
           Mean(moments(Column("duration"), VISIT, Rows.SESSIONS)), unit="seconds", good="up"),
    Metric("entrances", "Entrances",
           "Page views that began a visit: those marked isEntrance, or one a session where nothing is marked; "
           "break down by entry_path.",
           Plain(ENTRANCES), good="up"),
    Metric("exits", "Exits",
           "Page views that ended a visit: those marked isExit, or one a session where nothing is marked; "
           "break down by exit_path.",
           Plain(total(Column("exit"), VISIT, Rows.SESSIONS))),
    Metric("conversions", "Conversions", "Events marked isConversion, captured leads among them.",
           Plain(count(flag(CONVERSION) & human())), good="up"),
    Metric("landing_conversion_rate", "Landing page conversion rate",
           "Entrances that convert on the page they land on, over all entrances; break down by entry_path.",
           Ratio(LANDED, ENTRANCES), unit="share", good="up"),
    Metric("session_conversion_rate", "Session conversion rate", "Share of sessions with a conversion.",
           Ratio(CONVERTED, SESSIONS), unit="share", good="up"),
    Metric("views_per_visitor", "Pages per visitor", "Page views over distinct visitors.",
           Ratio(VIEWS, VISITORS), unit="number", good="up"),
    Metric("engaged_time", "Engaged time", "Mean time a page view was looked at, of those that say so.",
           _measured(names.ENGAGED), unit="ms", good="up"),
    Metric("scroll_depth", "Scroll depth", "Mean depth that a page was scrolled to, in percent, of views that say so.",
           _measured(names.SCROLLED), unit="number", good="up"),
    Metric("form_starts", "Forms begun", "Forms that people began to fill in.", Plain(FORM_STARTS), good="up"),
    Metric("form_submits", "Forms sent", "Forms that people sent.", Plain(FORM_SUBMITS), good="up"),
    Metric("form_completion_rate", "Form completion", "Forms sent over forms begun.",
           Ratio(FORM_SUBMITS, FORM_STARTS), unit="share", good="up"),
    Metric("new_leads", "New leads", "People who left their address for the first time.", Plain(NEW_LEADS), good="up"),
    Metric("lead_captures", "Lead captures", "Times people left their address, not only the first.",
           Plain(count(event(names.LEAD))), good="up"),
    Metric("lead_capture_rate", "Lead capture rate", "New leads over distinct visitors.",
           Ratio(NEW_LEADS, VISITORS), unit="share", good="up"),
    Metric("time_to_capture", "Time to first capture",
           "Mean time from a new lead's first event ever to its capture, of leads whose visitor was seen before.",
           Mean(moments(AGE, NEW_LEAD)), unit="seconds", good="down"),
    Metric("consents", "Consents", "Consents given.", Plain(count(event(names.CONSENT))), good="up"),
    Metric("consent_withdrawals", "Withdrawals", "Consents withdrawn or denied.",
           Plain(count(event(names.WITHDRAWAL))), good="down"),
    Metric("clicks", "Clicks", "Clicks that were sent as such.", Plain(count(event(names.CLICK) & human()))),
    Metric("outbound_clicks", "Outbound clicks", "Clicks on links to other hosts; break down by outbound_host.",
           Plain(count(event(names.OUTBOUND) & human()))),
    Metric("file_downloads", "Downloads", "Clicks on files; break down by file.",
           Plain(count(event(names.DOWNLOAD) & human()))),
    Metric("bot_views", "Bot page views",
           "Pages fetched by known bots and from data centres; page views leave them out.",
           Plain(count(event(names.PAGE_VIEW) & ~human()))),
    Metric("other_requests", "Other requests",
           "Requests of an access log that are no page views, of people and bots: feeds, assets, failures, redirects, "
           "other methods.",
           Plain(count(event("request")))),
    Metric("events_accepted", "Events accepted", "All events that count, bots' included; captured leads apart.",
           Plain(count(~event(names.LEAD)))),
    *(metric for vital in VITALS for metric in _vital(vital)),
)  # fmt: skip

DIMENSIONS = (
    shared("host", "Host", "Host of the page."),
    Dimension("path", "Page", "Path of the page.", Column("path"), None),
    Dimension("entry_path", "Entry page", "First page of the session.", None, Column("entry_path")),
    Dimension("exit_path", "Exit page", "Last page of the session.", None, Column("exit_path")),
    shared("source", "Source", "Where the visit came from, by name: Google, ChatGPT, newsletter, (direct), …"),
    shared("channel", "Channel",
           "Kind of source: direct, organic_search, paid_search, social, email, referral, ai_assistant, …"),
    shared("medium", "Medium", "utm_medium."),
    shared("campaign", "Campaign", "utm_campaign."),
    shared("term", "Term", "utm_term."),
    shared("content", "Content", "utm_content."),
    shared("referrer_host", "Referrer", "Host of the page that linked here."),
    Dimension("form", "Form", "Name of the form.", Prop("form"), None),
    Dimension("outbound_host", "Outbound host", "Host that a link led to.", Prop("outboundHost"), None),
    Dimension("file", "File", "Path of a file that was downloaded.", Prop("file"), None),
    Dimension("request_kind", "Kind of request", "What an access log's request was: feed, asset, failed, …",
              Prop("kind"), None),
)  # fmt: skip

PACK = Pack(
    "web",
    "Web traffic",
    "Page views, visitors, sessions and where they came from.",
    METRICS,
    DIMENSIONS,
    FUNNELS,
    board=BOARD,
)
