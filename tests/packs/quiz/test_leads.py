"""`POST /quiz/leads` through the real application: counted once a quiz, listed, told of, and erased."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.packs.quiz.school import School, event
from tests.packs.world import ADMIN, bearer

ADA = "Ada.Lovelace@Example.org"
COUNTED = "event = 'quiz_lead'"


def lead(school: School, email: Any = ADA, key: str | None = None, **fields: Any) -> httpx.Response:
    return school.request("POST", "/leads", {"email": email, "quizId": "algebra", **fields}, key)


def ask(school: School, path: str, **body: Any) -> httpx.Response:
    """What an admin asks of people."""
    given = {"propertyId": school.name, "email": ADA, **body}
    return school.application.client.post(f"/web/v1{path}", json=given, headers=bearer(ADMIN))


def test_a_lead_is_an_event_without_its_address(school: School) -> None:
    answer = lead(school, attempt_id="a-1", userId="u-7", name="Ada", consent={"marketing": True})
    assert answer.status_code == 201
    told = answer.json()
    assert told == {
        "success": True, "leadId": told["leadId"], "quizId": "algebra", "attemptId": "a-1",
        "consent": {"marketing": "granted"},
    }  # fmt: skip
    assert school.stored("event, actor, origin") == [("quiz_lead", school.actor("u-7"), 0)]
    assert school.said() == [{"quizId": "algebra", "attemptId": "a-1"}]
    assert "ada" not in str(school.stored("*")).lower()


def test_an_address_is_one_lead_of_a_quiz(school: School) -> None:
    for email, quiz in ((ADA, "algebra"), (f" {ADA.upper()}", "algebra"), (ADA, "logic")):
        assert lead(school, email, quizId=quiz, attemptId=f"{len(email)}", note=email[:3]).status_code == 201
    with ThreadPoolExecutor(4) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: lead(school, "bob@example.org"), range(8))} == {201}
    assert sorted(said["quizId"] for said in school.said(COUNTED)) == ["algebra", "algebra", "logic"]


def test_an_address_that_is_known_is_told_nothing_of_it(school: School) -> None:
    assert lead(school).json() == lead(school).json()


def test_what_people_do_not_see_traps_programs(school: School) -> None:
    assert lead(school, _gotcha="x").json() == lead(school).json()
    assert len(school.stored()) == 1


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"email": "nobody"}, "lead_bad_email", "An email address is needed, and this is none."),
        ({"email": None}, "lead_bad_email", "An email address is needed, and this is none."),
        ({"quizId": ""}, "lead_malformed", "`quizId` is missing: which quiz it is about."),
        ({"quizId": "q" * 201}, "lead_malformed", "`quizId` is a text of at most 200 characters."),
        ({"consent": "maybe"}, "lead_malformed", "A consent is yes or no."),
    ],
)
def test_what_is_no_lead_is_refused_and_counted(
    school: School, fields: dict[str, Any], error: str, message: str
) -> None:
    answer = lead(school, **{"email": ADA, **fields})
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (400, error, message)
    assert (school.stored(), school.refused()) == ([], {error: 1})


def test_bodies_that_are_no_forms_are_refused(school: School) -> None:
    for body in (b"{", b"[]", b'{"email": "' + b"a" * 70_000 + b'"}'):
        answer = school.request("POST", "/leads", body)
        assert (answer.status_code, answer.json()["error"]) == (400, "lead_malformed")
    assert lead(school, project="nowhere").status_code == 404
    assert lead(school, key=school.keys["read"]).status_code == 403


def test_leads_are_listed_and_told_of_to_themselves(school: School) -> None:
    lead(school, userId="u-7", name="Ada", consent=True)
    client = school.application.client
    listed = client.get("/web/v1/leads", params={"propertyId": school.name}, headers=bearer(ADMIN)).json()["leads"]
    assert [(one["email"], one["form"], one["consent"]) for one in listed] == [
        (ADA, "algebra", {"marketing": "granted"}),
    ]  # fmt: skip
    told = ask(school, "/people/export").json()
    assert told["submissions"][0]["payload"] == {"name": "Ada"}
    assert [one["event"] for one in told["events"]] == ["quiz_lead"]
    assert "unsubscribe" in ask(school, "/unsubscribe/link").json()["url"]


def test_whoever_is_erased_is_gone_and_others_stay(school: School) -> None:
    school.send(event("quiz_started", userId="u-7"), event("quiz_started", "algebra", "a-2", userId="u-8"))
    lead(school, key=school.keys["admin"], userId="u-7")
    lead(school, "bob@example.org", userId="u-8")
    gone = ask(school, "/leads/delete")
    assert (gone.status_code, gone.json()["deleted"]["leads"], gone.json()["deleted"]["actors"]) == (200, 1, 1)
    bob = school.actor("u-8")
    assert sorted(school.stored("event, actor")) == [("quiz_lead", bob), ("quiz_started", bob)]
    assert ask(school, "/leads/delete").status_code == 404


def test_a_user_that_a_page_names_proves_nothing(school: School) -> None:
    """Anybody could leave an address with the id of another: erasing it must not take what the other did."""
    school.send(event("quiz_started", userId="u-7"))
    lead(school, userId="u-7")
    assert ask(school, "/leads/delete").json()["deleted"]["actors"] == 0
    assert school.stored("event") == [("quiz_started",)]


def test_another_pack_has_no_people(school: School) -> None:
    name, _ = school.application.make("voice")
    assert ask(school, "/people/export", propertyId=name).status_code == 404
