"""The core's smoke test: the server is ready, an event counts once, a bad one is refused alone."""

from datetime import timedelta

from tallymark.spec.smoke import SMOKE, Call, Growth, Smoke, Step, Trial


def smoke(trial: Trial) -> Smoke:
    """The test."""
    to = {"project": trial.project}
    once, beside = (_event(trial, place) for place in ("once", "beside"))
    return Smoke(
        samples=(
            Step("the server is alive", Call("GET", "/health"), says={"status": "ok"}),
            Step("the server is ready", Call("GET", "/ready"), says={"status": "ok"}),
            Step("an event is taken, twice", Call("POST", "/v1/events", to, once), (202,),
                 {"accepted": 1, "rejected": []}, times=2),
            Step("a bad event is refused alone",
                 Call("POST", "/v1/events", to, {"events": [{**beside, "event": ""}, beside]}), (202,),
                 {"accepted": 1, "rejected.0.index": 0, "rejected.0.reason": "missing_event"}),
        ),
        shown=(
            Growth("the query counts each once", _question(trial),
                   {"metrics.events.value": 2, "metrics.actors.value": 1, "metrics.value.value": 6}),
        ),
    )  # fmt: skip


def _event(trial: Trial, place: str) -> dict[str, object]:
    return {
        "event": SMOKE,
        "eventId": f"{trial.actor}-{place}",
        "timestamp": trial.at,
        "actor": trial.actor,
        "value": 3,
        "properties": trial.marks,
    }


def _question(trial: Trial) -> Call:
    """What became of the samples. A day more, so that none leaves the window at midnight."""
    window = {"from": trial.day.isoformat(), "to": (trial.day + timedelta(days=1)).isoformat()}
    asked = {"metrics": "events,actors,value", "filter": f"event:is:{SMOKE}"}
    return Call("GET", "/v1/query", {"project": trial.project, **asked, **window})
