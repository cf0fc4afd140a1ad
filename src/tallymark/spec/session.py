"""What a session is: a visitor's events without a long silence between them."""

from typing import Final

#: How long a silence ends a session, in milliseconds: without and with a session id of the sender's own.
SILENCE_MS: Final = 30 * 60 * 1000
SILENCE_WITH_ID_MS: Final = 24 * 60 * 60 * 1000

#: Events that are views: what a session counts as pages.
VIEW_EVENTS: Final = ("page_view", "screen_view")

#: Events that tell more of a view: a visit with one view and any number of them is a bounce.
QUIET_EVENTS: Final = ("engagement", "web_vitals")

#: Properties by which a sender says that a view begins a visit, that an event ends one, that it is a conversion.
ENTRANCE, EXIT, CONVERSION = "isEntrance", "isExit", "isConversion"

#: Events that programs send by themselves: no session begins or goes on by them, and a visit with one view and
#: any number of them is a bounce.
PASSIVE_EVENTS: Final = ("request",)
