"""What people see first of an app with experiments."""

from tallymark.spec.board import Board, Panel, View

BOARD = Board(
    (
        "exposed_units",
        "experiment_units",
        "app_opens",
        "app_sessions",
        "level_completion_rate",
        "purchases",
        "revenue",
        "revenue_per_unit",
    ),
    (
        Panel(
            "Variants",
            (View("exposed_variant", ("exposed_units",)), View("experiment_variant", ("experiment_events",))),
        ),
        Panel("Apps", (View("platform", ("experiment_units",)), View("app_version", ("experiment_units",)))),
        Panel("Levels", (View("level", ("levels_started", "levels_completed")),)),
    ),
)
