"""What people see first of a project without packs."""

from tallymark.spec.board import Board, Panel, View

BOARD = Board(
    ("events", "actors", "new_actors", "value"),
    (
        Panel("Events", (View("event", ("events", "actors")),)),
        Panel("Places", (View("country", ("actors", "events")),)),
        Panel("Devices", (View("device", ("actors",)), View("browser", ("actors",)), View("os", ("actors",)))),
    ),
)
