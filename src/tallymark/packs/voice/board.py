"""What people see first of a voice assistant."""

from tallymark.spec.board import Board, Panel, View

BOARD = Board(
    (
        "voice_exchanges",
        "voice_users",
        "voice_success_rate",
        "voice_fallback_rate",
        "voice_error_rate",
        "voice_total_p95",
        "voice_quality",
        "voice_cost",
    ),
    (
        Panel("Intents", (View("intent", ("voice_exchanges", "voice_success_rate", "voice_quality")),)),
        Panel(
            "Stores and models",
            (
                View("store", ("voice_exchanges", "voice_success_rate")),
                View("model", ("voice_exchanges", "voice_success_rate")),
                View("language", ("voice_exchanges", "voice_success_rate")),
            ),
        ),
        Panel(
            "What goes wrong",
            (
                View("voice_error", ("voice_errors",)),
                View("exchange_state", ("voice_exchanges",)),
                View("confidence_band", ("voice_exchanges", "voice_success_rate")),
            ),
        ),
    ),
)
