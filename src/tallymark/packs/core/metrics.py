"""The core's declarations: numbers that mean the same for any event."""

from tallymark.packs.core.board import BOARD
from tallymark.spec.condition import Column, human
from tallymark.spec.measure import actors, count, total
from tallymark.spec.metric import Dimension, Metric, Newcomers, Plain, shared
from tallymark.spec.pack import Pack

_PEOPLE = actors(human())

METRICS = (
    Metric("events", "Events", "Events of any name, without those of known bots.", Plain(count(human())), good="up"),
    Metric("actors", "Actors", "Distinct visitors, users or apps with an event of any name, without known bots.",
           Plain(_PEOPLE), good="up"),
    Metric("new_actors", "New actors", "Actors whose first event ever lies in the window.",
           Newcomers(_PEOPLE), good="up"),
    Metric("value", "Value", "Sum of the values that events carry.",
           Plain(total(Column("value"), human())), unit="number"),
    Metric("bot_events", "Bot events", "Events of known bots; the core's other metrics leave them out.",
           Plain(count(~human()))),
)  # fmt: skip

DIMENSIONS = (
    Dimension("event", "Event", "Name of the event.", Column("event"), None),
    shared("country", "Country", "Country of the visitor, ISO 3166 alpha-2; empty where unknown."),
    shared("device", "Device", "desktop, mobile, tablet, …"),
    shared("browser", "Browser", "Browser family, without its version."),
    shared("os", "System", "Operating system family, without its version."),
    Dimension("bot", "Bot", "Name of the bot; empty for people.", Column("bot"), None),
)

PACK = Pack("core", "Core", "What every project has, whatever its packs.", METRICS, DIMENSIONS, board=BOARD)
