"""What people see first of an SDK."""

from tallymark.spec.board import Board, Panel, View

BOARD = Board(
    (
        "active_apps",
        "counter_events",
        "counter_value",
        "sdk_sessions",
        "connect_success_rate",
        "restore_success_rate",
        "registry_cache_hit_rate",
        "sdk_errors",
    ),
    (
        Panel("Counters", (View("event", ("counter_value", "active_apps")),)),
        Panel("Networks", (View("network", ("counter_value", "active_apps")),)),
        Panel("Versions", (View("sdk_version", ("active_apps", "counter_events")),)),
    ),
)
