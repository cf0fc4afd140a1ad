"""`tallymark quizzes items` and `statistics`: how hard questions are, and how far scores can be relied on."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from tallymark.cli.connection import Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.cli.review_tables import rounded

Quiz = Annotated[str, typer.Argument(metavar="QUIZ", help="Id of the quiz, as events have it.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]
First = Annotated[str | None, typer.Option("--from", help="First day of attempts; default: of 30 days.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day of attempts; default: today.")]
Attempts = Annotated[str | None, typer.Option(help="Of each learner: first, last, best or all; default all.")]
Timezone = Annotated[str | None, typer.Option(help="Zone of the days; default the project's.")]

_ITEMS: Final = {
    "questionId": "Question", "n": "Attempts", "skips": "Skips", "facility": "Facility", "standardDeviation": "SD",
    "randomGuessScore": "Guess", "intendedWeight": "Weight", "effectiveWeight": "Effective",
    "discriminationIndex": "Discrimination", "discriminationEfficiency": "Efficiency", "medianTimeMs": "ms, median",
    "p90TimeMs": "ms, p90", "left": "Left here", "notes": "Notes",
}  # fmt: skip
_ANSWERS: Final = {
    "answer": "Answer", "n": "Attempts", "share": "Share", "correct": "Right", "meanScore": "Score",
    "pointBiserial": "Point-biserial", "notes": "Notes",
}  # fmt: skip
_STATISTICS: Final = {
    "n": "Attempts with a score", "mean": "Mean", "median": "Median", "standardDeviation": "Standard deviation",
    "skewness": "Skewness", "kurtosis": "Kurtosis", "questions": "Questions", "cronbachAlpha": "Cronbach's alpha",
    "errorRatio": "Error ratio", "standardError": "Standard error of measurement", "retaken": "Learners who came again",
    "gain": "Gain of those", "notes": "Notes",
}  # fmt: skip
_HISTOGRAM: Final = {"band": "Score", "attempts": "Attempts"}


def items(
    context: typer.Context,
    quiz: Quiz,
    question: Annotated[str | None, typer.Option(help="One question, with its answers.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most answers to tell apart; default 20.")] = None,
    project: ProjectOption = None,
    first: First = None,
    last: Last = None,
    attempts: Attempts = None,
    timezone: Timezone = None,
    as_json: AsJson = False,
) -> None:
    """Show how hard each question is, and how well it tells learners apart."""
    if limit is not None and question is None:
        raise typer.BadParameter("it is of the answers to a --question", param_hint="--limit")
    path = "items" if question is None else f"items/{quote(question, safe='')}"
    asked = {**_asked(project, first, last, attempts, timezone), "limit": limit}
    answer = _get(context, quiz, path, asked)
    if as_json:
        print_json(answer)
        return
    typer.echo(_head(answer))
    rows = answer["items"] if question is None else [answer["item"]]
    print_table(_ITEMS, [rounded({**row, "left": row["dropOff"]["attempts"]}) for row in rows])
    if question is not None:
        print_table(_ANSWERS, map(rounded, answer["item"]["answers"]))


def statistics(
    context: typer.Context,
    quiz: Quiz,
    project: ProjectOption = None,
    first: First = None,
    last: Last = None,
    attempts: Attempts = None,
    timezone: Timezone = None,
    as_json: AsJson = False,
) -> None:
    """Show how scores lie, and how far they can be relied on."""
    answer = _get(context, quiz, "statistics", _asked(project, first, last, attempts, timezone))
    if as_json:
        print_json(answer)
        return
    typer.echo(_head(answer))
    retakes = answer["retakes"]
    print_fields(_STATISTICS, rounded({**answer, "retaken": retakes["learners"], "gain": retakes["gain"]}))
    print_table(_HISTOGRAM, answer["histogram"])


def _head(answer: Mapping[str, Any]) -> str:
    """A line on what it is about."""
    window, attempts = answer["window"], answer["attempts"]
    return (
        f"{answer['quizId']}, {window['startDate']} to {window['endDate']}, attempts: {answer['attemptPolicy']}; "
        f"{attempts['submitted']} submitted, {attempts['unsubmitted']} not"
    )


def _asked(
    project: str | None, first: str | None, last: str | None, attempts: str | None, timezone: str | None
) -> dict[str, Any]:
    return {"project": project, "startDate": first, "endDate": last, "attempts": attempts, "timezone": timezone}


def _get(context: typer.Context, quiz: str, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    start: Start = context.obj
    given = {name: value for name, value in asked.items() if value is not None}
    with start.connect() as connection:
        answer: dict[str, Any] = connection.get(
            f"/quiz/api/v1/analytics/quiz/{quote(quiz, safe='')}/{path}", params=given
        )
    return answer
