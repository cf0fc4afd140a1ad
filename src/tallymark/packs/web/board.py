"""What people see first of a website."""

from tallymark.spec.board import Board, Panel, View

BOARD = Board(
    (
        "visitors",
        "sessions",
        "page_views",
        "views_per_session",
        "bounce_rate",
        "session_duration",
        "conversions",
        "session_conversion_rate",
    ),
    (
        Panel(
            "Sources",
            (
                View("channel", ("visitors", "bounce_rate")),
                View("source", ("visitors", "bounce_rate")),
                View("referrer_host", ("visitors", "bounce_rate")),
            ),
        ),
        Panel(
            "Campaigns",
            (
                View("campaign", ("visitors", "conversions")),
                View("medium", ("visitors", "conversions")),
                View("term", ("visitors", "conversions")),
                View("content", ("visitors", "conversions")),
            ),
        ),
        Panel(
            "Pages",
            (
                View("path", ("page_views", "visitors"), "All"),
                View("entry_path", ("entrances", "bounce_rate"), "Entry"),
                View("exit_path", ("exits",), "Exit"),
                View("host", ("page_views", "visitors")),
            ),
        ),
        Panel(
            "Places and devices",
            (
                View("country", ("visitors", "page_views")),
                View("device", ("visitors", "page_views")),
                View("browser", ("visitors", "page_views")),
                View("os", ("visitors", "page_views")),
            ),
        ),
    ),
)
