"""`POST /quiz/api/v1/analytics/export`: files of attempts in every format, and whose attempts are in them."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient
from openpyxl import load_workbook

from tallymark.app import build
from tallymark.config import load
from tallymark.control.exports import Export
from tallymark.engine.base import Engine
from tallymark.export.formats import media_type
from tallymark.spec.export import Format
from tests.packs.quiz.answers.school import ALGEBRA, FIRST, LAST, LATIN, NOON, Attempt, School, term, within
from tests.packs.quiz.bearers import BELIEVING, token_of
from tests.packs.world import bearer

DAYS = {"start": str(FIRST), "end": str(LAST)}
COLUMNS = [
    "quiz_id", "attempt_id", "user", "started_at", "state", "score", "max_score", "grade", "seconds", "questions",
]  # fmt: skip


@pytest.fixture(scope="module")
def school(running: School) -> School:
    """A term's attempts, one of a quiz that is called like a formula."""
    found = running.fresh()
    formula = Attempt("=1+1", "a-formula", "ann", NOON - timedelta(hours=2), "submitted", 50.0, 1.5)
    found.take([*term(seed=4, size=80), formula])
    return found


def order(school: School, format: Any = "csv", key: str | None = None, **filters: Any) -> httpx.Response:
    return school.application.client.post(
        "/quiz/api/v1/analytics/export", json={"format": format, "filters": filters}, params={"project": school.name},
        headers=bearer(key or school.keys["read"]),
    )  # fmt: skip


def exported(school: School, format: str = "csv", key: str | None = None, **filters: Any) -> httpx.Response:
    """The file of an order; the link needs no key."""
    answer = order(school, format, key, **filters)
    told = answer.json()
    assert (answer.status_code, told["success"], answer.headers["cache-control"]) == (201, True, "no-store")
    assert datetime.fromisoformat(told["expiresAt"]) > NOON
    while (file := school.application.client.get(told["downloadUrl"])).status_code == 503:
        assert file.headers["retry-after"]
    assert file.status_code == 200
    return file


def rows(file: httpx.Response, format: str = "csv") -> list[dict[str, Any]]:
    """The rows of a file, by name, as texts."""
    if format == "json":
        return [{name: text(value) for name, value in row.items()} for row in json.loads(file.content)]
    if format == "csv":
        return list(csv.DictReader(io.StringIO(file.text, newline="")))
    sheet = load_workbook(io.BytesIO(file.content)).worksheets[0]
    head, *lines = [[text(cell) for cell in line] for line in sheet.iter_rows(values_only=True)]
    return [dict(zip(head, line, strict=True)) for line in lines]


def text(value: Any) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def ids(file: httpx.Response) -> set[str]:
    return {row["attempt_id"] for row in rows(file)}


@pytest.mark.parametrize("format", ["csv", "json", "xlsx"])
def test_a_file_has_a_row_for_each_attempt(school: School, format: str) -> None:
    file = exported(school, format, dateRange=DAYS)
    found = {row["attempt_id"]: row for row in rows(file, format)}
    expected = within(school.attempts, FIRST, LAST, "UTC")
    assert set(found) == {one.id for one in expected}
    assert list(next(iter(found.values()))) == COLUMNS
    for one in expected:
        row = found[one.id]
        assert (row["quiz_id"], row["state"]) == (one.quiz, one.state)
        assert row["user"] == (school.hash(one.user) if one.user else "")
        assert [number(row[name]) for name in ("score", "grade", "seconds")] == [one.grade, one.grade, one.seconds]
        assert (number(row["max_score"]), number(row["questions"])) == (100, 3)
        assert row["started_at"].replace("T", " ")[:19] == one.at.strftime("%Y-%m-%d %H:%M:%S")
    assert media_type(Format(format)).split(";")[0] in file.headers["content-type"]
    assert f'{school.name}-quiz_attempts-{FIRST}-{LAST}.{format}"' in file.headers["content-disposition"]


def number(cell: str) -> float | None:
    return float(cell) if cell else None


def test_filters_are_kept_to(school: School) -> None:
    term_s = within(school.attempts, FIRST, LAST, "UTC")
    by_quiz = {one.id for one in term_s if one.quiz == ALGEBRA}
    assert ids(exported(school, quizId=ALGEBRA, dateRange=DAYS)) == by_quiz
    assert ids(exported(school, userId="ann", dateRange=DAYS)) == {one.id for one in term_s if one.user == "ann"}
    both = {one.id for one in term_s if one.user == "bob" and one.quiz == ALGEBRA}
    assert ids(exported(school, userId="bob", quizId=ALGEBRA, dateRange=DAYS)) == both
    assert ids(exported(school, userId="nobody-knows-me", dateRange=DAYS)) == set()


def test_a_quiz_s_name_is_no_formula(school: School) -> None:
    file = exported(school)
    assert [row["quiz_id"] for row in rows(file)] == ["'=1+1"]


def test_the_order_s_scope_bounds_what_its_writer_shows(school: School) -> None:
    """Whatever a filter says: the writer keeps to the condition that is stored with the order."""
    asked = order(school, quizId=ALGEBRA, dateRange=DAYS).json()
    stored = school.here.exports.get(asked["id"])
    assert isinstance(stored, Export)
    ann = int(school.hash("ann"), 16)
    narrowed = replace(stored.order, scope={"events": f"actor = {ann}"})
    again = school.here.exports.add(stored.project_id, narrowed, NOON)
    school.application.client.app.state.wake_exports()
    signed = school.here.signatures.sign(again.id, expires := int(NOON.timestamp()) + 60)
    link = f"/v1/exports/{again.id}/file?expires={expires}&signature={signed}"
    while (file := school.application.client.get(link)).status_code == 503:
        pass
    theirs = within(school.attempts, FIRST, LAST, "UTC")
    assert ids(file) == {one.id for one in theirs if one.user == "ann" and one.quiz == ALGEBRA}


def test_a_user_s_file_has_their_rows(running: School) -> None:
    """Whatever they filter by; who asks for what is not theirs gets none."""
    school = running.fresh()
    school.take(term(seed=5, size=60))
    school.own(ALGEBRA, "tom")
    ann, tom = token_of("ann", school.name), token_of("tom", school.name, "teacher")
    sent = within(school.attempts, FIRST, LAST, "UTC")
    anns, algebra = ({o.id for o in sent if o.user == "ann"}, {o.id for o in sent if o.quiz == ALGEBRA})
    assert ids(exported(school, key=ann, dateRange=DAYS)) == anns
    assert ids(exported(school, key=ann, dateRange=DAYS, quizId=ALGEBRA, userId="ann")) == anns & algebra
    assert ids(exported(school, key=tom, dateRange=DAYS)) == algebra
    assert ids(exported(school, key=tom, dateRange=DAYS, userId="ann")) == anns & algebra
    assert ids(exported(school, key=token_of("tim", school.name, "teacher"), dateRange=DAYS)) == set()
    for key, filters in ((ann, {"userId": "bob"}), (tom, {"quizId": LATIN})):
        assert order(school, key=key, **filters).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "format"),
        ({"format": "pdf"}, "format"),
        ({"format": "parquet"}, "format"),
        ({"format": ["csv"]}, "format"),
        ({"format": "csv", "scope": {"events": "1"}}, "scope"),
        ({"format": "csv", "filters": []}, "filters"),
        ({"format": "csv", "filters": {"quiz": "a"}}, "filters.quiz"),
        ({"format": "csv", "filters": {"quizId": 7}}, "filters.quizId"),
        ({"format": "csv", "filters": {"userId": ""}}, "filters.userId"),
        ({"format": "csv", "filters": {"dateRange": "2028"}}, "filters.dateRange"),
        ({"format": "csv", "filters": {"dateRange": {"from": "2028-01-01"}}}, "filters.dateRange.from"),
        ({"format": "csv", "filters": {"dateRange": {"start": "2026-13-01"}}}, "filters.dateRange.start"),
        ({"format": "csv", "filters": {"dateRange": {"end": 5}}}, "filters.dateRange.end"),
        (
            {"format": "csv", "filters": {"dateRange": {"start": "2028-01-02", "end": "2028-01-01"}}},
            "filters.dateRange.start",
        ),
    ],
)
def test_a_mistake_is_told_with_its_field(school: School, body: Any, field: str) -> None:
    answer = school.application.client.post(
        "/quiz/api/v1/analytics/export", json=body, params={"project": school.name},
        headers=bearer(school.keys["read"]),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["success"], answer.json()["field"]) == (400, False, field)


def test_what_is_no_json_is_told(school: School) -> None:
    answer = school.application.client.post(
        "/quiz/api/v1/analytics/export", content=b"{", params={"project": school.name},
        headers=bearer(school.keys["read"]),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_who_may_order(running: School, school: School) -> None:
    other = running.fresh()
    for key, status in (("wrong", 401), (school.keys["ingest"], 403), (other.keys["read"], 403)):
        assert order(school, key=key).status_code == status


@contextmanager
def started(engine: Engine, data: Path, workers: int) -> Iterator[TestClient[Any]]:
    """An application of that directory, with so many who write exports."""
    settings = load({}, data / ".env", data=data, admin_api_key="k", export_workers=workers, **BELIEVING)
    with TestClient(build(settings, engine, NOON.timestamp, clocked=False)) as client:
        yield client


def test_a_file_that_is_written_after_a_restart(engine: Engine, tmp_path: Path) -> None:
    """Its link says so until then; whose rows are in it was settled when it was ordered."""
    links = {}
    with started(engine, tmp_path, workers=0) as asleep:
        made = asleep.post("/v1/projects", json={"name": "waiting", "packs": ["quiz"]}, headers=bearer("k")).json()
        sent = [Attempt(quiz, f"{quiz}-{user}", user, NOON - timedelta(hours=1), "submitted", 50.0, 1.5)
                for quiz in (ALGEBRA, LATIN) for user in ("ann", "bob")]  # fmt: skip
        asleep.post("/v1/import", json=[one.wire() for one in sent], headers=bearer(made["keys"]["admin"]))
        asleep.put("/quiz/api/v1/quizzes/latin", json={"owner": "tom"}, headers=bearer(made["keys"]["admin"]))
        for user, role in (("ann", "learner"), ("tom", "teacher")):
            key = token_of(user, "waiting", role)
            path, named = "/quiz/api/v1/analytics/export", {"project": "waiting"}
            told = asleep.post(path, json={"format": "csv"}, params=named, headers=bearer(key)).json()
            assert (told["status"], told["rows"]) == ("waiting", None)
            links[user] = told["downloadUrl"]
            file = asleep.get(links[user])
            assert (file.status_code, file.headers["retry-after"]) == (503, "1")
            assert asleep.get(links[user] + "0").status_code == 403
        asleep.put("/quiz/api/v1/quizzes/algebra", json={"owner": "tom"}, headers=bearer(made["keys"]["admin"]))
    with started(engine, tmp_path, workers=1) as awake:
        found = {}
        for user, link in links.items():
            while (file := awake.get(link)).status_code == 503:
                assert file.headers["retry-after"]
            found[user] = ids(file)
    assert found == {"ann": {"algebra-ann", "latin-ann"}, "tom": {"latin-ann", "latin-bob"}}
