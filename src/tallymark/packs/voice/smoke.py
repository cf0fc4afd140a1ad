"""The voice pack's smoke test: a query and its outcome show in the summary."""

from tallymark.packs.voice.names import OUTCOME, QUERY
from tallymark.spec.smoke import SMOKE, Call, Growth, Smoke, Step, Trial


def smoke(trial: Trial) -> Smoke:
    """The test."""
    asked = {"transcript": "Is this a smoke test?", "intent": SMOKE, "confidence": 0.99}
    answered = {"response": "It is.", "success": True, "total_ms": 420}
    return Smoke(
        samples=(
            Step("the server is alive", Call("GET", "/voice/health")),
            _sent(trial, "a query is taken, twice", QUERY, asked),
            _sent(trial, "its outcome is taken, twice", OUTCOME, answered),
        ),
        shown=(
            Growth("the summary shows both", Call("GET", "/voice/stats/summary", {"project": trial.project}),
                   {"metrics.voice_queries.value": 1, "metrics.voice_outcomes.value": 1}, shared=True),
        ),
    )  # fmt: skip


def _sent(trial: Trial, name: str, kind: str, said: dict[str, object]) -> Step:
    event = {
        "event_type": kind,
        "timestamp": trial.at,
        "store_id": SMOKE,
        "query_id": trial.actor,
        "session_id": trial.actor,
        **said,
    }
    call = Call("POST", "/voice/ingest", {"project": trial.project}, event)
    return Step(name, call, (202,), {"success": True, "accepted": 1, "rejected": []}, times=2)
