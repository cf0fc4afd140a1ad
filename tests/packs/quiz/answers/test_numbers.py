"""The numbers of quizzes and users are what plain Python makes of their attempts, for every policy."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.sealing import seal
from tests.packs.quiz.answers.school import (
    ALGEBRA,
    FIRST,
    LAST,
    LATIN,
    QUOTED,
    USERS,
    ZONE,
    Attempt,
    School,
    buckets,
    counting,
    mean,
    numbers,
    term,
    within,
)
from tests.packs.quiz.bearers import token_of

DAYS = {"startDate": str(FIRST), "endDate": str(LAST)}
POLICIES = ("all", "first", "last", "best")
FIELDS = tuple(numbers([]))


@pytest.fixture(scope="module")
def school(running: School) -> School:
    """A term's attempts, rolled up."""
    found = running.fresh(timezone=ZONE)
    found.take(term(seed=1, size=180))
    found.application.settle(found.name)
    return found


def path(quiz: str, of: str = "metrics") -> str:
    return f"quiz/{quote(quiz, safe='')}/{of}"


def of(attempts: list[Attempt], quiz: str) -> list[Attempt]:
    return [one for one in attempts if one.quiz == quiz]


def fields(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in FIELDS}


@pytest.mark.parametrize("zone", [ZONE, "Asia/Kolkata"])
@pytest.mark.parametrize(("policy", "aggregation"), [*((policy, "week") for policy in POLICIES), ("all", "day"),
                                                     ("best", "month")])  # fmt: skip
def test_a_quiz_is_what_its_attempts_are(school: School, policy: str, aggregation: str, zone: str) -> None:
    told = school.told(path(ALGEBRA), **DAYS, aggregation=aggregation, attempts=policy, timezone=zone)
    counted = counting(of(within(school.attempts, FIRST, LAST, zone), ALGEBRA), policy)
    assert len(counted) > 4
    assert fields(told) == numbers(counted)
    assert (told["attemptPolicy"], told["accuracy"], told["complete"]) == (policy, "exact", True)
    assert told["window"] == {**DAYS, "timezone": zone}
    assert [(row["t"], fields(row)) for row in told["series"]] == [
        (str(label), numbers(within(counted, days[0], days[-1], zone)))
        for label, days in buckets(FIRST, LAST, aggregation)
    ]


def test_weeks_are_iso_weeks_over_new_year(school: School) -> None:
    told = school.told(path(ALGEBRA), startDate="2027-12-29", endDate="2028-01-04", aggregation="week")
    assert [(row["t"], row["isoWeek"]) for row in told["series"]] == [
        ("2027-12-27", "2027-W52"), ("2028-01-03", "2028-W01"),
    ]  # fmt: skip
    long_year = school.told(path(ALGEBRA), startDate="2026-12-31", endDate="2027-01-04", aggregation="week")
    assert [row["isoWeek"] for row in long_year["series"]] == ["2026-W53", "2027-W01"]


def test_rollups_and_raw_events_say_the_same(school: School) -> None:
    for quiz in (ALGEBRA, QUOTED, LATIN):
        school.own(quiz, "tom")
    for asked, params in ((path(ALGEBRA), {"compareTo": "previous"}), ("quizzes", {})):
        answers = []
        for key, source in ((school.keys["read"], "rollups"), (token_of("tom", school.name, "teacher"), "raw")):
            body = school.ask(asked, key, **DAYS, **params).json()
            assert body.pop("source") == source
            answers.append(body)
        assert answers[0] == answers[1]


def test_a_window_is_compared_with_another(school: School) -> None:
    for compare, first, last in (
        ("previous", FIRST - timedelta(days=6), FIRST - timedelta(days=1)),
        ("2027-12-30..2028-01-01", FIRST, FIRST + timedelta(days=2)),
    ):
        for policy in ("all", "best"):
            told = school.told(path(ALGEBRA), **DAYS, compareTo=compare, attempts=policy)
            now = numbers(counting(of(within(school.attempts, FIRST, LAST), ALGEBRA), policy))
            before = numbers(counting(of(within(school.attempts, first, last), ALGEBRA), policy))
            comparison = told["comparison"]
            assert fields(comparison) == before
            assert comparison["window"] == {"startDate": str(first), "endDate": str(last), "timezone": ZONE}
            change = Fraction(now["totalAttempts"] - before["totalAttempts"], before["totalAttempts"])
            assert comparison["delta"]["totalAttempts"] == round(float(change), 6)
            assert sum(row["totalAttempts"] for row in comparison["series"]) == before["totalAttempts"]
    assert school.told(path(ALGEBRA), **DAYS)["comparison"] is None


def test_a_quiz_may_be_called_anything(school: School) -> None:
    for policy in POLICIES:
        told = school.told(path(QUOTED), **DAYS, attempts=policy)
        assert told["quizId"] == QUOTED
        assert fields(told) == numbers(counting(of(within(school.attempts, FIRST, LAST), QUOTED), policy))


def test_days_without_attempts_have_no_rates(school: School) -> None:
    told = school.told(path(ALGEBRA), startDate="2028-02-01", endDate="2028-02-03")
    assert fields(told) == numbers([])
    assert (told["completionRate"], told["averageScore"], told["timeSpent"]) == (None, None, None)
    assert [row["totalAttempts"] for row in told["series"]] == [0, 0, 0]
    default = school.told(path(ALGEBRA))
    assert (default["window"]["startDate"], default["window"]["endDate"]) == ("2028-01-31", "2028-02-29")


@pytest.mark.parametrize("policy", ["all", "best"])
def test_every_quiz_in_the_order_that_is_asked_for(school: School, policy: str) -> None:
    counted = counting(within(school.attempts, FIRST, LAST), policy)
    expected = {quiz: numbers(of(counted, quiz)) for quiz in (ALGEBRA, QUOTED, LATIN)}
    for sort in ("quizId", *FIELDS):
        for order in ("asc", "desc"):
            told = school.told("quizzes", **DAYS, attempts=policy, sort=sort, order=order)
            assert {row["quizId"]: fields(row) for row in told["quizzes"]} == expected
            values = [row[sort] for row in told["quizzes"]]
            assert values == sorted(values, reverse=order == "desc")
    first = max(sorted(expected), key=lambda quiz: expected[quiz]["totalAttempts"])
    most = school.told("quizzes", **DAYS, attempts=policy, limit=1)
    assert ([row["quizId"] for row in most["quizzes"]], most["total"]) == ([first], 3)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_user_is_what_they_did(school: School, policy: str) -> None:
    for user in USERS:
        theirs = [one for one in within(school.attempts, FIRST, LAST) if one.user == user]
        counted = counting(theirs, policy)
        done = [one for one in counted if one.state == "submitted"]
        told = school.told(f"user/{user}/metrics", **DAYS, attempts=policy)
        assert told["quizzesCompleted"] == len({one.quiz for one in done})
        assert (told["attempts"], told["attemptsSubmitted"]) == (len(counted), len(done))
        assert told["averageScore"] == mean(one.grade for one in done)
        assert told["totalTimeSpent"] == float(sum(Fraction(str(one.seconds)) for one in done))
        assert told["lastActivity"] == stamp(theirs[-1])
        assert told["quizzes"] == [
            {"quizId": quiz, **record(of(counted, quiz))} for quiz in sorted({one.quiz for one in counted})
        ]


def stamp(attempt: Attempt) -> str:
    return attempt.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(attempts: list[Attempt]) -> dict[str, Any]:
    """What is told of these attempts, which are in order."""
    done = [one for one in attempts if one.state == "submitted"]
    grades = [one.grade for one in done if one.grade is not None]
    return {
        "attempts": len(attempts),
        "submitted": len(done),
        "bestScore": max(grades, default=None),
        "lastScore": grades[-1] if grades else None,
        "averageScore": mean(grades),
        "timeSpent": float(sum(Fraction(str(one.seconds)) for one in done)),
        "firstAttempt": stamp(attempts[0]),
        "lastAttempt": stamp(attempts[-1]),
    }


def test_a_user_of_whom_nothing_is_known_did_nothing(school: School) -> None:
    told = school.told("user/nobody-knows-me/metrics", **DAYS)
    assert (told["quizzesCompleted"], told["totalTimeSpent"]) == (0, 0)
    assert (told["averageScore"], told["lastActivity"], told["quizzes"]) == (None, None, [])


@pytest.mark.parametrize("policy", ["all", "best"])
def test_learners_come_a_page_at_a_time(school: School, policy: str) -> None:
    counted = [one for one in counting(of(within(school.attempts, FIRST, LAST), ALGEBRA), policy) if one.user]
    expected = {school.hash(user): record([one for one in counted if one.user == user]) for user in USERS}
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = school.told(path(ALGEBRA, "learners"), **DAYS, attempts=policy, limit=2, after=after)
        found += page["learners"]
        after = page["next"]
    assert found == [{"user": user, **expected[user]} for user in sorted(expected)]


def test_sealed_days_stay_in_what_comes_from_rollups(running: School) -> None:
    school = running.fresh()
    gone = [date(2028, 1, 1), date(2028, 1, 2)]
    school.take(within(term(seed=2, size=120), date(2027, 12, 31), gone[-1], "UTC"))
    whole = school.told(path(ALGEBRA), **DAYS)
    assert whole["source"] == "rollups"
    assert {one.at.date() for one in of(school.attempts, ALGEBRA)} >= set(gone)
    seal(school.application, school.name, *gone)
    kept = school.told(path(ALGEBRA), **DAYS)
    assert (fields(kept), kept["series"], kept["complete"]) == (fields(whole), whole["series"], True)
    first = school.told(path(ALGEBRA), **DAYS, attempts="first")
    left = [one for one in of(within(school.attempts, FIRST, LAST, "UTC"), ALGEBRA) if one.at.date() not in gone]
    assert fields(first) == numbers(counting(left, "first"))
    assert (first["source"], first["complete"]) == ("raw", False)
    assert first["freshness"]["sealedDays"]


def test_a_quiz_that_nothing_was_sent_of_is_not_there(school: School) -> None:
    for asked in (
        path("algbera"),
        path("algbera", "learners"),
        path("algbera", "funnel"),
        path("algbera", "retention"),
    ):
        answer = school.ask(asked, **DAYS)
        assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (404, "not_found", "quizId")


@pytest.mark.parametrize(
    ("asked", "params", "field"),
    [
        ("metrics", {"startDate": "2026-13-01"}, "startDate"),
        ("metrics", {"endDate": "yesterday"}, "endDate"),
        ("metrics", {"startDate": "2028-02-02", "endDate": "2028-02-01"}, "startDate"),
        ("metrics", {"startDate": "2010-01-01", "endDate": "2028-02-01"}, "startDate"),
        ("metrics", {"startDate": ["2028-02-01", "2028-02-02"]}, "startDate"),
        ("metrics", {"aggregation": "hour"}, "aggregation"),
        ("metrics", {"attempts": "worst"}, "attempts"),
        ("metrics", {"compareTo": "then"}, "compareTo"),
        ("metrics", {"timezone": "Mars/Base"}, "timezone"),
        ("metrics", {"from": "2028-02-01"}, "from"),
        ("learners", {"limit": "0"}, "limit"),
        ("learners", {"after": "x"}, "after"),
        ("funnel", {"within": "soon"}, "within"),
        ("retention", {"period": "hour"}, "period"),
        ("retention", {"periods": "0"}, "periods"),
        ("retention", {"returning": "never"}, "returning"),
        ("retention", {"startDate": "2028-02-30"}, "startDate"),
    ],
)
def test_a_mistake_is_told_with_its_field(school: School, asked: str, params: dict[str, Any], field: str) -> None:
    answer = school.ask(path(ALGEBRA, asked), **params)
    assert (answer.status_code, answer.json()["success"], answer.json()["field"]) == (400, False, field)


def test_what_would_be_allowed_is_told(school: School) -> None:
    allowed = {"aggregation": ["day", "week", "month"], "attempts": list(POLICIES)}
    for field, words in allowed.items():
        body = school.ask(path(ALGEBRA), **{field: "x"}).json()
        assert (body["error"], body["allowed"]) == ("bad_query", words)
    assert school.ask("quizzes", sort="x").json()["allowed"] == ["quizId", *FIELDS]
    assert school.ask("quizzes", order="up").json()["allowed"] == ["asc", "desc"]
    assert school.ask("user/ann/metrics", aggregation="day").json()["field"] == "aggregation"


def test_who_may_ask_is_looked_at_first(running: School, school: School) -> None:
    other = running.fresh()
    for asked in (path(ALGEBRA), path(ALGEBRA, "learners"), path(ALGEBRA, "funnel"), "quizzes", "user/ann/metrics"):
        for key, status in (("", 401), ("wrong", 401), (school.keys["ingest"], 403), (other.keys["read"], 403)):
            answer = school.ask(asked, key, attempts="a mistake")
            assert (answer.status_code, answer.json()["success"]) == (status, False)
