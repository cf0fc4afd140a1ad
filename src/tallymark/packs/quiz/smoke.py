"""The quiz pack's smoke test: an attempt's parts and a statement are taken, and their answers are counted."""

from datetime import timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from tallymark.packs.quiz import names
from tallymark.spec.smoke import SMOKE, Call, Growth, Smoke, Step, Trial

_QUIZ: Final = f"https://{SMOKE}.example/quiz"
_VERB: Final = "http://adlnet.gov/expapi/verbs/answered"


def smoke(trial: Trial) -> Smoke:
    """The test."""
    taken = {"success": True, "accepted": 3, "rejected": []}
    statement, to = _statement(trial), {"project": trial.project}
    return Smoke(
        samples=(
            Step("an attempt is taken, twice", Call("POST", "/quiz/events", to, _parts(trial)), (202,), taken, times=2),
            Step("an xAPI statement is taken, twice", Call("POST", "/quiz/xapi/statements", to, statement),
                 says={"0": statement["id"]}, times=2),
        ),
        shown=(
            Growth("the query counts both answers", _question(trial), {"metrics.quiz_answers.value": 2}, shared=True),
            Growth("the query counts the attempt", _question(trial), {"metrics.quiz_attempts.value": 1}, shared=True),
        ),
    )  # fmt: skip


def _parts(trial: Trial) -> dict[str, object]:
    return {
        "timestamp": trial.at,
        "userId": trial.actor,
        names.QUIZ: SMOKE,
        names.ATTEMPT_ID: trial.actor,
        "events": [
            {"event": names.STARTED},
            {"event": names.ANSWERED, names.QUESTION: "q1", names.ANSWER: "B", names.CORRECT: True},
            {"event": names.SUBMITTED, names.SCORE: 1, names.MAX_SCORE: 1, names.TIME: 4_200},
        ],
    }


def _statement(trial: Trial) -> dict[str, object]:
    return {
        "id": str(uuid5(NAMESPACE_URL, trial.actor)),
        "actor": {"account": {"homePage": _QUIZ, "name": trial.actor}},
        "verb": {"id": _VERB},
        "object": {"id": f"{_QUIZ}/q1"},
        "result": {"response": "B", "success": True},
        "context": {"contextActivities": {"parent": [{"id": _QUIZ}]}},
        "timestamp": trial.at,
    }


def _question(trial: Trial) -> Call:
    """What became of the samples. A day more, so that none leaves the window at midnight."""
    window = {"from": trial.day.isoformat(), "to": (trial.day + timedelta(days=1)).isoformat()}
    return Call("GET", "/v1/query", {"project": trial.project, "metrics": "quiz_answers,quiz_attempts", **window})
