"""The ab pack's smoke test: a unit keeps its variant, and what apps send shows in the summary."""

from typing import Final

from tallymark.packs.ab.names import APP_OPEN
from tallymark.spec.smoke import SMOKE, Call, Growth, Smoke, Step, Trial

_EXPERIMENT: Final = f"/v1/experiments/{SMOKE}"

#: What an experiment is told that is already made, or already runs: the one before was cut off.
_ALREADY: Final = 409

#: The longest there is, so that nothing leaves the window at midnight.
_DAYS: Final = "366"


def smoke(trial: Trial) -> Smoke:
    """The test. Its experiment runs as long as it does, and is the same the next time."""
    return Smoke(
        prepare=(
            _change(trial, "an experiment is made", "/v1/experiments", (201, _ALREADY), _draft()),
            _change(trial, "the experiment is started", f"{_EXPERIMENT}/start", (200, _ALREADY)),
        ),
        samples=(
            Step("the server is alive", Call("GET", "/ab/health"), says={"status": "ok"}),
            _assignment(trial),
            _events(trial),
        ),
        shown=(_summary(trial),),
        tidy=(_change(trial, "the experiment is stopped", f"{_EXPERIMENT}/stop", (200,)),),
    )


def _change(trial: Trial, name: str, path: str, status: tuple[int, ...], body: object = None) -> Step:
    return Step(name, Call("POST", path, {"project": trial.project}, body), status)


def _draft() -> dict[str, object]:
    return {
        "key": SMOKE,
        "hypothesis": "tallymark smoke: whoever asks again is told the same.",
        "variants": [{"key": "control", "weight": 1}, {"key": SMOKE, "weight": 1}],
    }


def _assignment(trial: Trial) -> Step:
    asked = {"project": trial.project, "unitId": trial.actor, "experimentId": SMOKE}
    return Step(
        "a unit is given the same variant twice",
        Call("POST", "/ab/v1/assignment", json=asked),
        says={"success": True, "experimentId": SMOKE, "inExperiment": True},
        times=2,
        same=("variant", "assignedAt"),
    )


def _events(trial: Trial) -> Step:
    event = {
        "eventName": APP_OPEN,
        "eventId": f"{trial.actor}-open",
        "occurredAt": trial.at,
        "unitId": trial.actor,
        "properties": trial.marks,
    }
    call = Call("POST", "/ab/v1/events", json={"project": trial.project, "events": [event]})
    return Step("events are taken, twice", call, (202,), {"success": True, "accepted": 1, "rejected": []}, times=2)


def _summary(trial: Trial) -> Growth:
    call = Call("GET", "/ab/v1/metrics/summary", {"project": trial.project, "window_days": _DAYS})
    names = ("app_opens", "actors", "exposures", "exposed_units")
    return Growth("the summary shows it", call, {f"metrics.{name}.value": 1 for name in names}, shared=True)
