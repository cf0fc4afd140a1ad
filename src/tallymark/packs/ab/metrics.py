"""The ab pack's declarations: what an app's dashboard shows, and what becomes of events by experiment and variant.

Numbers by experiment are of assigned units, whether or not they met their variant; results look closer.
"""

from typing import Final

from tallymark.packs.ab.board import BOARD
from tallymark.packs.ab.names import (
    APP_OPEN,
    APP_VERSION,
    CORE_JOURNEY,
    EXPERIMENT_VARIANT,
    EXPERIMENT_VARIANT_EVENT,
    EXPOSED_VARIANT,
    LEVEL,
    LEVEL_COMPLETE,
    LEVEL_START,
    PLATFORM,
    PURCHASE,
)
from tallymark.spec.condition import Column, Joined, Prop, event, human
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT
from tallymark.spec.funnel import Funnel, Step
from tallymark.spec.measure import Rows, actors, count, moments, total
from tallymark.spec.metric import MOST_KEYS, Dimension, Mean, Metric, Plain, Ratio
from tallymark.spec.pack import Pack

_EXPOSED = human() & event(EXPOSURE)
_BOUGHT = human() & event(PURCHASE)
_VALUE = Column("value")

#: Everybody who did anything, as the core's metric `actors`.
UNITS: Final = actors(human())
EXPOSED_UNITS: Final = actors(_EXPOSED)

#: By experiment and variant, and event.
EVENTS_IN: Final = count(human(), Rows.EXPOSED)
UNITS_IN: Final = actors(human(), Rows.EXPOSED)
VALUE_IN: Final = total(_VALUE, human(), Rows.EXPOSED)

_STARTED, _COMPLETED = (count(human() & event(name)) for name in (LEVEL_START, LEVEL_COMPLETE))
_BUYERS, _REVENUE = actors(_BOUGHT), total(_VALUE, _BOUGHT)

METRICS = (
    Metric("exposures", "Exposures", "Events that tell that a unit met a variant.", Plain(count(_EXPOSED)), good="up"),
    Metric("exposed_units", "Exposed units", "Distinct units that met a variant.", Plain(EXPOSED_UNITS), good="up"),
    Metric("experiment_events", "Events in experiments",
           "Events of units that take part in an experiment; an event counts once for each of them.",
           Plain(EVENTS_IN), good="up"),
    Metric("experiment_units", "Units in experiments", "Distinct units that take part in an experiment.",
           Plain(UNITS_IN), good="up"),
    Metric("experiment_value", "Value in experiments",
           "Sum of the values of such events; a value counts once for each experiment.",
           Plain(VALUE_IN), unit="number", good="up"),
    Metric("app_opens", "App opens", f"Events `{APP_OPEN}`.", Plain(count(human() & event(APP_OPEN))), good="up"),
    Metric("app_sessions", "Sessions", "Sessions of apps and sites: what a unit does without 30 minutes of silence.",
           Plain(count(rows=Rows.SESSIONS)), good="up"),
    Metric("app_session_duration", "Session length", "Mean time between the first and last event of a session.",
           Mean(moments(Column("duration"), rows=Rows.SESSIONS)), unit="seconds", good="up"),
    Metric("levels_started", "Levels started", f"Events `{LEVEL_START}`.", Plain(_STARTED), good="up"),
    Metric("levels_completed", "Levels completed", f"Events `{LEVEL_COMPLETE}`.", Plain(_COMPLETED), good="up"),
    Metric("level_completion_rate", "Level completion", "Levels completed over levels started.",
           Ratio(_COMPLETED, _STARTED), unit="share", good="up"),
    Metric("purchases", "Purchases", f"Events `{PURCHASE}`.", Plain(count(_BOUGHT)), good="up"),
    Metric("buyers", "Buyers", "Distinct units with a purchase.", Plain(_BUYERS), good="up"),
    Metric("revenue", "Revenue", "Sum of the values of purchases.", Plain(_REVENUE), unit="number", good="up"),
    Metric("buyer_share", "Share of buyers", "Buyers over all active units.", Ratio(_BUYERS, UNITS),
           unit="share", good="up"),
    Metric("revenue_per_unit", "Revenue per unit", "Revenue over all active units.", Ratio(_REVENUE, UNITS),
           unit="number", good="up"),
)  # fmt: skip

DIMENSIONS = (
    Dimension(EXPERIMENT_VARIANT, "Variant", "Experiment and variant of a unit, as `checkout/green`.",
              None, None, exposed=Column(EXPERIMENT_VARIANT)),
    Dimension(EXPERIMENT_VARIANT_EVENT, "Event of a variant",
              "Experiment, variant and name of an event, as `checkout/green/purchase`.",
              None, None, most_keys=16 * MOST_KEYS, exposed=Joined((Column(EXPERIMENT_VARIANT), Column("event")))),
    Dimension(EXPOSED_VARIANT, "Variant met", "Experiment and variant that an exposure tells of; `/` for other events.",
              Joined((Prop(EXPERIMENT), Prop(VARIANT))), None),
    Dimension(LEVEL, "Level", "Property `level`: which level of a game.", Prop(LEVEL), None),
    Dimension(PLATFORM, "Platform", "Property `platform`: ios, android, …", Prop(PLATFORM), None),
    Dimension("app_version", "App version", "Property `appVersion`.", Prop(APP_VERSION), None),
)  # fmt: skip

FUNNELS = (
    Funnel(
        CORE_JOURNEY,
        "Core journey",
        tuple(Step(name, event(name)) for name in (APP_OPEN, LEVEL_START, LEVEL_COMPLETE, PURCHASE)),
    ),
)

PACK = Pack(
    "ab",
    "Experiments",
    "Assignments to variants, experiments and their results.",
    METRICS,
    DIMENSIONS,
    FUNNELS,
    board=BOARD,
)
