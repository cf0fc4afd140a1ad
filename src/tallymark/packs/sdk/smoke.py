"""The sdk pack's smoke test: counters that are sent twice are added once."""

from typing import Final

from tallymark.spec.smoke import SMOKE, Call, Growth, Smoke, Step, Trial

#: One that lists of allowed networks have, and that nobody's business is on.
_NETWORK: Final = "devnet"
_COUNTER: Final = f"{SMOKE}_tests"


def smoke(trial: Trial) -> Smoke:
    """The test."""
    payload = {
        "sdkVersion": f"0.0.0-{SMOKE}",
        "network": _NETWORK,
        "timestamp": trial.at,
        "appIdHash": trial.actor,
        "idempotencyKey": trial.id,
        "metrics": {_COUNTER: 3},
    }
    to = {"project": trial.project}
    asked = {**to, "period": "daily", "date": trial.day.isoformat(), "network": _NETWORK}
    return Smoke(
        samples=(
            Step("the server is alive", Call("GET", "/sdk/health"), says={"status": "ok"}),
            Step("counters are taken, twice", Call("POST", "/sdk/api/v1/events", to, payload),
                 says={"success": True}, times=2),
        ),
        shown=(
            Growth("the metrics add them once", Call("GET", "/sdk/api/v1/metrics", asked),
                   {f"metrics.{_COUNTER}.value": 3, f"metrics.{_COUNTER}.uniqueApps": 1}),
        ),
    )  # fmt: skip
