"""`/quiz/xapi/statements` through the real application: what statements mean, and which are the same."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha1
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.packs.quiz.statement import BadStatement, statement_of
from tallymark.packs.quiz.statement_digest import digest_of
from tallymark.packs.quiz.statement_event import VERBS
from tests.packs.quiz.school import NOON, School
from tests.packs.world import ADMIN, bearer

ADL = "http://adlnet.gov/expapi/verbs/"
QUIZ, QUESTION = "https://school.example/algebra", "https://school.example/algebra/q3"
REGISTRATION = "EC531277-b57b-4c15-8d91-d292c5b2b8f7"
ADA = {"account": {"homePage": "https://school.example", "name": "u-7"}}
PATH = "/xapi/statements"
FIRST = "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"


def statement(verb: str, object_id: str = QUIZ, /, **fields: Any) -> dict[str, Any]:
    said = {"actor": ADA, "verb": {"id": ADL + verb}, "object": {"id": object_id}, "timestamp": NOON.isoformat()}
    return {**said, **fields}


ANSWERED = statement(
    "answered", id=FIRST, object={"id": QUESTION, "objectType": "Activity", "definition": {
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": "choice",
        "name": {"en": "Third"}, "choices": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
    }},
    result={"response": "b", "success": True, "score": {"raw": 2, "max": 4}, "duration": "PT1M0.5S",
            "extensions": {"https://x.example/definition": {"definition": 1}}},
    context={"registration": REGISTRATION, "contextActivities": {"parent": {"id": QUIZ}}},
)  # fmt: skip


def post(school: School, body: Any, **headers: str) -> httpx.Response:
    return school.request("POST", PATH, body, headers=headers)


def taken(school: School, *statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The properties of what statements become, by quiz and question."""
    answer = post(school, statements)
    assert answer.status_code == 200, answer.text
    return school.said()


def test_an_answer_becomes_an_event(school: School) -> None:
    answer = post(school, ANSWERED, **{"x-experience-api-version": "1.0.1"})
    assert (answer.status_code, answer.json()) == (200, [FIRST])
    assert answer.headers["x-experience-api-version"] == "1.0.3"
    assert school.said() == [{
        "quizId": QUIZ, "attemptId": REGISTRATION.lower(), "questionId": QUESTION, "options": 3, "answer": "b",
        "correct": True, "score": 2, "maxScore": 4, "timeMs": 60_500,
    }]  # fmt: skip
    who = school.actor("https://school.example|u-7")
    assert school.stored("event, actor, occurred_at") == [("question_answered", who, NOON.replace(tzinfo=None))]


def within(quiz: str) -> dict[str, Any]:
    """What an answer's question is part of."""
    return {"contextActivities": {"grouping": [{"id": quiz}]}}


def test_every_verb_means_its_event(school: School) -> None:
    quizzes = [f"{QUIZ}/{n:02}" for n in range(len(VERBS))]
    taken(school, *(
        statement("", quiz, verb={"id": verb}, context=within(quiz)) for quiz, verb in zip(quizzes, VERBS, strict=True)
    ))  # fmt: skip
    assert dict(school.stored("props.quizId.:String, event")) == dict(zip(quizzes, VERBS.values(), strict=True))
    skipped = [said["quizId"] for said in school.said() if said.get("skipped")]
    assert [list(VERBS)[quizzes.index(quiz)] for quiz in skipped] == ["http://id.tincanapi.com/verb/skipped"]


SCORES: Sequence[tuple[str, Mapping[str, float], tuple[float | None, float | None]]] = [
    ("completed", {"raw": 8, "max": 10, "min": 0, "scaled": 0.1}, (8, 10)),
    ("passed", {"scaled": 0.85}, (85, 100)),
    ("failed", {"scaled": -0.5}, (0, 100)),
    ("failed", {"raw": -3, "max": 10}, (0, 10)),
    ("scored", {"raw": 60}, (60, None)),
    ("scored", {"raw": 600}, (None, None)),
    ("completed", {}, (None, None)),
    ("answered", {"raw": -3, "max": 2}, (-2, 2)),
    ("answered", {"scaled": 0.5}, (0.5, 1)),
    ("answered", {"raw": 0.5}, (0.5, None)),
    ("answered", {"raw": -0.5, "max": 0}, (None, None)),
    ("answered", {"raw": 7}, (None, None)),
]


def test_scores_are_kept_as_far_as_they_say_of_how_much(school: School) -> None:
    quizzes = [f"{QUIZ}/{n:02}" for n in range(len(SCORES))]
    said = taken(school, *(
        statement(verb, quiz, context=within(quiz), result={"score": score})
        for quiz, (verb, score, _) in zip(quizzes, SCORES, strict=True)
    ))  # fmt: skip
    kept = {one["quizId"]: (one.get("score"), one.get("maxScore")) for one in said}
    assert [kept[quiz] for quiz in quizzes] == [wanted for _, _, wanted in SCORES]


def test_durations_are_milliseconds(school: School) -> None:
    wanted = {"PT61.5S": 61_500, "P1DT1H": 90_000_000, "P1Y": None, "soon": None}
    said = taken(school, *(
        statement("completed", f"quiz:{duration}", result={"duration": duration}) for duration in wanted
    ))  # fmt: skip
    assert {one["quizId"].removeprefix("quiz:"): one.get("timeMs") for one in said} == wanted


MBOX = "mailto:ada@example.org"
HASHED = sha1(MBOX.encode()).hexdigest()


@pytest.mark.parametrize(
    ("actor", "who"),
    [
        ({"mbox": MBOX}, f"mbox_sha1sum:{HASHED}"),
        ({"mbox_sha1sum": HASHED.upper(), "name": "Ada"}, f"mbox_sha1sum:{HASHED}"),
        ({"openid": "https://ada.example"}, "https://ada.example"),
        (ADA, "https://school.example|u-7"),
        ({"objectType": "Group", "account": ADA["account"]}, "https://school.example|u-7"),
        ({"objectType": "Group", "member": [ADA]}, None),
    ],
)
def test_users_are_known_by_any_of_their_identifiers(school: School, actor: dict[str, Any], who: str | None) -> None:
    taken(school, statement("completed", actor=actor))
    assert school.stored("actor") == [(school.actor(who) if who else 0,)]
    assert "ada" not in str(school.stored("*"))


def test_without_a_registration_a_user_has_an_attempt_a_day(school: School) -> None:
    later = (NOON + timedelta(hours=11, minutes=59)).isoformat()
    next_day = (NOON - timedelta(days=1)).isoformat()
    school.application.clock.now = NOON + timedelta(days=1)
    nobody = {"objectType": "Group", "member": [ADA]}
    said = taken(
        school, statement("attempted"), statement("completed", timestamp=later),
        statement("completed", timestamp=next_day), statement("completed", "https://school.example/logic"),
        statement("completed", actor=nobody), statement("completed", actor={"openid": "https://bob.example"}),
    )  # fmt: skip
    attempts = [(one["quizId"], one.get("attemptId")) for one in said]
    assert len(said) == 6
    assert len(set(attempts)) == 5
    assert sum(attempt is None for _, attempt in attempts) == 1


def test_a_statement_without_an_id_gets_one(school: School) -> None:
    first, second = post(school, [statement("completed"), statement("completed")]).json()
    assert UUID(first) != UUID(second)
    assert len(school.stored()) == 2


EQUAL: Sequence[dict[str, Any]] = [
    dict(reversed(ANSWERED.items())),
    {**ANSWERED, "id": FIRST.upper(), "stored": NOON.isoformat(), "authority": ADA, "version": "1.0.0"},
    {**ANSWERED, "verb": {**ANSWERED["verb"], "display": {"en": "answered"}}, "attachments": None},
    {**ANSWERED, "object": {"id": QUESTION, "objectType": "Activity"}},
    {**ANSWERED, "timestamp": "2028-02-29T13:00:00.000+01:00"},
    {**ANSWERED, "result": {**ANSWERED["result"], "duration": "PT60.501S", "score": {"raw": 2.0, "max": 4e0}}},
    {**ANSWERED, "context": {"registration": REGISTRATION.lower(),
                             "contextActivities": {"parent": [{"id": QUIZ}], "other": None}}},
]  # fmt: skip


@pytest.mark.parametrize("again", EQUAL)
def test_what_says_the_same_again_counts_once(school: School, again: dict[str, Any]) -> None:
    for body in (ANSWERED, again, [again]):
        answer = post(school, body)
        assert (answer.status_code, answer.json()) == (200, [FIRST]), answer.text
    assert len(school.stored()) == 1


CONFLICTING: Sequence[dict[str, Any]] = [
    {**ANSWERED, "actor": {"openid": "https://ada.example"}},
    {**ANSWERED, "verb": {"id": ADL + "passed"}},
    {**ANSWERED, "timestamp": "2028-02-29T12:00:01Z"},
    {**ANSWERED, "result": {**ANSWERED["result"], "response": "c"}},
    {**ANSWERED, "result": {**ANSWERED["result"], "success": False}},
    {**ANSWERED, "result": {**ANSWERED["result"], "duration": "PT60.52S"}},
    {**ANSWERED, "result": {**ANSWERED["result"], "extensions": {"https://x.example/definition": {"definition": 2}}}},
    {**ANSWERED, "context": {"contextActivities": {"parent": [{"id": QUIZ}]}}},
]  # fmt: skip


@pytest.mark.parametrize("other", CONFLICTING)
def test_what_contradicts_a_known_statement_is_refused_with_all_beside_it(
    school: School, other: dict[str, Any]
) -> None:
    post(school, ANSWERED)
    answer = post(school, [statement("completed"), other])
    assert (answer.status_code, answer.json()) == (409, {
        "success": False, "error": "conflict", "field": "id", "message": f"Known to say something else: {FIRST}.",
    })  # fmt: skip
    assert len(school.stored()) == 1
    assert post(school, ANSWERED).status_code == 200


def test_what_a_crash_has_left_is_mended_by_sending_again(school: School) -> None:
    """What the statement says was noted, and its event not written."""
    school.here.statements.note(school.id, {FIRST: digest_of(ANSWERED)}, NOON)
    assert (post(school, ANSWERED).status_code, len(school.stored())) == (200, 1)
    assert school.refused() == {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4)
    | st.sampled_from([NOON.isoformat(), "0001-01-01T00:00:00+14:00", "PT1S", "P99999999999999D", FIRST, QUIZ]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["id", "member", "contextActivities", "parent", "timestamp", "duration", "registration",
                         "extensions", "score", "raw", "max", "scaled", "response", "mbox", "objectType", "choices"]),
        inner, max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*ANSWERED, "stored", "attachments", "x"]), _JSON, max_size=3))
@settings(max_examples=150)
def test_whatever_comes_is_a_statement_or_a_bad_one(said: dict[str, Any]) -> None:
    try:
        statement_of({**ANSWERED, **said}, 0)
    except BadStatement:
        return
    assert len(digest_of({**ANSWERED, **said})) == 64


def test_of_many_at_once_with_one_id_one_is_right(school: School) -> None:
    def said(n: int) -> dict[str, Any]:
        return {**ANSWERED, "result": {"response": "abc"[n % 3]}}

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: post(school, said(n)).status_code, range(12)))
    (kept,) = school.said()
    assert answers == [200 if "abc"[n % 3] == kept["answer"] else 409 for n in range(12)]


def test_order_of_a_group_counts_for_nothing(school: School) -> None:
    members = [{"openid": "https://a.example"}, {"openid": "https://b.example"}]
    for order in (members, members[::-1]):
        team = {"objectType": "Group", "openid": "https://g.example", "member": order}
        assert post(school, statement("completed", id=FIRST, actor=team)).status_code == 200
    assert len(school.stored()) == 1


def test_what_tells_of_no_quiz_is_taken_and_counted_as_passed_over(school: School) -> None:
    said = [
        statement("experienced", id=str(uuid4())),
        statement("answered", id=str(uuid4())),
        statement("completed", id=str(uuid4()), object=ANSWERED["object"]),
        statement("completed", id=str(uuid4()), object={"objectType": "Agent", "openid": "https://ada.example"}),
        statement("completed", "https://school.example/" + "q" * 200, id=str(uuid4())),
        statement("voided", id=str(uuid4()), object={"objectType": "StatementRef", "id": FIRST}),
        statement("answered", id=str(uuid4()), context={"contextActivities": {"parent": {"id": ""}}}),
    ]
    for _ in range(2):
        assert post(school, said).json() == [one["id"] for one in said]
    assert school.stored() == []
    assert school.refused() == {"unknown_name": 4, "malformed": 3}
    other = {**said[0], "verb": {"id": ADL + "progressed"}}
    assert post(school, other).status_code == 409


BAD: Sequence[tuple[Any, str]] = [
    (7, "Expected `object`, got `int`."),
    ({**ANSWERED, "actor": None}, "Object missing required field `actor`."),
    ({**ANSWERED, "verb": {}}, "Object missing required field `id` - at `$.verb`."),
    ({**ANSWERED, "verb": {"id": "answered"}}, "`verb.id` is no IRI."),
    ({**ANSWERED, "object": {}}, "`object.id` is no IRI."),
    ({**ANSWERED, "id": "17"}, "`id` is no UUID."),
    ({**ANSWERED, "actor": {"name": "Ada"}},
     "`actor` has exactly one of mbox, mbox_sha1sum, openid, account."),
    ({**ANSWERED, "actor": {"openid": ""}}, "`actor` has an identifier that is empty."),
    ({**ANSWERED, "actor": {"mbox_sha1sum": ""}}, "`actor` has an identifier that is empty."),
    ({**ANSWERED, "actor": {"account": {**ADA["account"], "name": ""}}}, "`actor` has an identifier that is empty."),
    ({**ANSWERED, "actor": {**ADA, "mbox": MBOX}},
     "`actor` has exactly one of mbox, mbox_sha1sum, openid, account."),
    ({**ANSWERED, "actor": {"mbox": "ada@example.org"}}, "`actor.mbox` begins with mailto:."),
    ({**ANSWERED, "timestamp": "noon"}, "`timestamp` is no ISO 8601 time."),
    ({**ANSWERED, "timestamp": "0001-01-01T00:00:00+14:00"}, "`timestamp` is no ISO 8601 time."),
    ({**ANSWERED, "context": {"registration": "r"}}, "`context.registration` is no UUID."),
    ({**ANSWERED, "result": {"score": {"scaled": 1.1}}}, "`result.score.scaled` is -1 to 1."),
    ({**ANSWERED, "result": {"score": {"raw": 5, "max": 4}}}, "`result.score.raw` lies between `min` and `max`."),
    ({**ANSWERED, "result": {"success": "yes"}}, "Expected `bool | null`, got `str` - at `$.result.success`."),
    ({**ANSWERED, "timestamp": "1969-01-01T00:00:00Z"}, "`timestamp` and `sentAt` must lie between 1970 and 2100."),
    ({**ANSWERED, "timestamp": (NOON + timedelta(days=9)).isoformat()},
     "`timestamp` is more than 60 minutes ahead of the server."),
]  # fmt: skip


@pytest.mark.parametrize(("said", "message"), BAD)
def test_a_bad_statement_is_refused_with_all_beside_it(school: School, said: Any, message: str) -> None:
    answer = post(school, [statement("completed"), said])
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_statement")
    assert answer.json()["message"] == f"Statement 1: {message}"
    assert school.stored() == []
    assert post(school, ANSWERED).status_code == 200


def test_two_of_one_request_have_two_ids(school: School) -> None:
    answer = post(school, [ANSWERED, ANSWERED])
    assert (answer.status_code, answer.json()["message"]) == (400, "Statement 1: another one here has the same `id`.")


def test_a_statement_may_be_put(school: School) -> None:
    bare = {name: value for name, value in ANSWERED.items() if name != "id"}
    for body in (bare, ANSWERED):
        answer = school.request("PUT", PATH, body, statementId=FIRST)
        assert (answer.status_code, answer.content) == (204, b"")
    assert school.request("PUT", PATH, CONFLICTING[0], statementId=FIRST).status_code == 409
    other = school.request("PUT", PATH, ANSWERED, statementId=str(uuid4()))
    assert (other.status_code, other.json()["message"]) == (400, "`id` is another one than `statementId`.")
    assert school.request("PUT", PATH, ANSWERED, statementId="7").json()["message"] == "`statementId` is no UUID."
    assert school.request("PUT", PATH, ANSWERED).status_code == 400
    assert school.request("PUT", PATH, [bare], statementId=FIRST).status_code == 400
    assert len(school.stored()) == 1


@pytest.mark.parametrize(("said", "told"), [("1.0", "1.0.3"), ("2.0.0", "2.0.0"), (None, "2.0.0")])
def test_versions_are_told(school: School, said: str | None, told: str) -> None:
    answer = post(school, [], **({"x-experience-api-version": said} if said else {}))
    assert (answer.status_code, answer.json(), answer.headers["x-experience-api-version"]) == (200, [], told)
    refused = post(school, [], **{"x-experience-api-version": "0.95"})
    assert (refused.status_code, refused.json()["allowed"]) == (400, ["1.0.3", "2.0.0"])


def test_attachments_and_what_is_no_json_are_refused(school: School) -> None:
    assert "Attachments" in post(school, b"--x", **{"content-type": "multipart/mixed; boundary=x"}).json()["message"]
    assert post(school, b"{").json()["error"] == "unreadable_body"


def test_a_key_may_be_a_password(school: School) -> None:
    def ask(text: str) -> int:
        return post(school, ANSWERED, authorization=f"Basic {b64encode(text.encode()).decode()}").status_code

    assert ask(f"lms:{school.keys['ingest']}") == 200
    assert ask(f"lms:{school.keys['read']}") == 403
    assert ask("lms:none") == 401
    assert post(school, ANSWERED, authorization="Basic %").status_code == 400


def test_what_is_remembered_goes_with_its_time_and_its_project(school: School) -> None:
    post(school, ANSWERED)
    statements = school.here.statements
    assert statements.count(school.id, NOON + timedelta(hours=1)) == 1
    project = school.id
    client = school.application.client
    assert client.delete(f"/v1/projects/{school.name}", headers=bearer(ADMIN)).status_code in (200, 204)
    assert statements.count(project, NOON + timedelta(hours=1)) == 0


def test_an_answer_with_personal_data_is_redacted(school: School) -> None:
    post(school, {**ANSWERED, "result": {"response": "write to ada@example.org"}})
    assert "ada@example.org" not in json.dumps(school.said())
