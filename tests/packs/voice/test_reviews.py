"""Reviews through the front door: drawn blind, kept, compared with the judge, deleted with the person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.packs.voice.agreement import agreement, among_people
from tallymark.packs.voice.cases import id_of, identity_of
from tallymark.packs.voice.judges.rules import verdict
from tallymark.packs.voice.reviewing import told_fields
from tallymark.spec.evaluation import SCORES, Case
from tests.packs.voice.talking import ANSWERS, NOON, QUERY, Talking
from tests.packs.world import ADMIN, application

REVIEWS, SAMPLE, COMPARE = "/v1/reviews", "/v1/reviews/sample", "/v1/evaluators/quality/compare"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Talking]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("reviews"), engine, NOON) as found:
        yield Talking(found)


@pytest.fixture
def talking(running: Talking) -> Talking:
    """A project of its own."""
    return running.fresh()


@pytest.fixture(scope="module")
def judged(running: Talking) -> Talking:
    """A project with eight exchanges, which the rules have judged; nothing is written to it."""
    found = running.fresh()
    found.talk(8)
    found.judge()
    return found


def judged_by_rules(response: str) -> dict[str, int]:
    """The oracle: what the rules say of an answer."""
    return dict(verdict(Case(QUERY, response)).scores)


def drawn(talking: Talking, **params: Any) -> list[dict[str, Any]]:
    exchanges: list[dict[str, Any]] = talking.told("GET", SAMPLE, **params)["exchanges"]
    return exchanges


def test_a_sample_is_blind(judged: Talking) -> None:
    told = judged.told("GET", SAMPLE)
    assert (told["evaluator"], told["reviewer"], len(told["exchanges"])) == ("quality@1", "admin", 8)
    assert {each["response"] for each in told["exchanges"]} == set(ANSWERS)
    for each in told["exchanges"]:
        assert each.keys() == {"exchangeId", "at", "transcript", "response", "intent"}
    for each in drawn(judged, scores="true"):
        scores = {name: each["evaluation"][name] for name in SCORES}
        assert scores == judged_by_rules(each["response"])


def test_a_sample_is_the_same_for_everybody_and_grows_from_its_beginning(judged: Talking) -> None:
    everybody = [each["exchangeId"] for each in drawn(judged)]
    assert len(set(everybody)) == 8
    assert [each["exchangeId"] for each in drawn(judged, limit=3, reviewer="ann")] == everybody[:3]
    rows = judged.here.engine.query("SELECT cityHash64(arrayJoin({ids:Array(String)}))", {"ids": everybody})
    hashes = [int(row[0]) for row in rows]
    assert hashes == sorted(hashes)


def test_the_lowest_are_drawn_first(judged: Talking) -> None:
    low = [each["evaluation"]["overall"] for each in drawn(judged, strategy="low", scores="true")]
    assert low == sorted(judged_by_rules(answer)["overall"] for answer in ANSWERS * 2)
    assert low[0] < low[-1]


def test_what_was_reviewed_is_not_drawn_again_for_who_did(talking: Talking) -> None:
    talking.talk(4)
    talking.judge()
    first, second, *rest = [each["exchangeId"] for each in drawn(talking)]
    body = [{"exchangeId": each, "reviewer": "ann", "labels": ["seen"]} for each in (first, second)]
    assert talking.told("POST", REVIEWS, json=body)["reviews"][0]["labels"] == ["seen"]
    assert [each["exchangeId"] for each in drawn(talking, reviewer="ann")] == rest
    assert [each["exchangeId"] for each in drawn(talking, reviewer="ann", limit=1)] == rest[:1]
    assert len(drawn(talking, reviewer="ben")) == 4


def test_where_nobody_judges_all_answers_are_drawn(talking: Talking) -> None:
    talking.say("q-1")
    lone = {"event_type": "voice_query", "query_id": "q-2", "transcript": QUERY, "timestamp": NOON.isoformat()}
    bot = {**lone, "event_type": "voice_outcome", "query_id": "q-3", "user_agent": "Googlebot/2.1"}
    assert talking.ask("POST", "/voice/ingest", json=[lone, bot]).status_code == 202
    told = talking.told("GET", SAMPLE, strategy="low")
    assert (told["evaluator"], [each["response"] for each in told["exchanges"]]) == (None, [ANSWERS[0]])
    (found,) = told["exchanges"]
    body = {"exchangeId": found["exchangeId"], "scores": {"overall": 3}}
    assert talking.told("POST", REVIEWS, json=body)["reviews"][0]["scores"] == {"overall": 3}
    told = talking.told("GET", REVIEWS)
    assert told["reviews"][0]["evaluation"] is None
    assert told["agreement"]["scores"]["overall"]["n"] == 0


def test_reviews_stand_beside_the_judge(talking: Talking) -> None:
    talking.talk(6)
    talking.judge()
    given = {"ann": [5, 2, 2, 1, 4, 1], "ben": [4, 3, 2]}
    exchanges = drawn(talking)
    body = [
        {"exchangeId": each["exchangeId"], "reviewer": name, "scores": {"overall": score}}
        for name, scores in given.items()
        for each, score in zip(exchanges, scores, strict=False)
    ]
    talking.told("POST", REVIEWS, json=body)
    people = [{name: s[place] for name, s in given.items() if place < len(s)} for place in range(6)]
    overall = [judged_by_rules(each["response"])["overall"] for each in exchanges]
    told = talking.told("GET", REVIEWS, limit=4)
    assert len(told["reviews"]) == 4
    assert [each["at"] for each in told["reviews"]] == sorted((each["at"] for each in told["reviews"]), reverse=True)
    for each in told["reviews"]:
        assert each["evaluation"]["overall"] == judged_by_rules(each["response"])["overall"]
        assert each["transcript"] == QUERY
    found = told["agreement"]
    assert found["evaluator"] == "quality@1"
    assert found["scores"]["overall"] == told_fields(agreement(list(zip(overall, people, strict=True))))
    assert found["scores"]["overall"]["n"] == 9
    assert found["scores"]["safety"]["n"] == 0
    assert found["amongPeople"]["overall"] == told_fields(among_people(people))
    assert found["amongPeople"]["overall"]["n"] == 3
    quality = talking.told("GET", "/voice/stats/quality")
    assert quality["agreement"] == found
    only = talking.told("GET", REVIEWS, reviewer="ben")["agreement"]["scores"]["overall"]
    assert only == told_fields(
        agreement([(o, {"ben": p["ben"]}) for o, p in zip(overall, people, strict=True) if "ben" in p])
    )


def test_pages_of_quality_have_no_agreement_without_reviews_of_what_they_show(talking: Talking) -> None:
    talking.say("q-1", store_id="berlin")
    talking.say("q-2", store_id="paris")
    talking.judge()
    (one,) = [each for each in drawn(talking) if each["storeId"] == "paris"]
    talking.told("POST", REVIEWS, json={"exchangeId": one["exchangeId"], "scores": {"overall": 5}})
    assert talking.told("GET", "/voice/stats/quality", store_id="berlin")["agreement"] is None
    assert talking.told("GET", "/voice/stats/quality", store_id="paris")["agreement"]["scores"]["overall"]["n"] == 1


def test_a_review_takes_the_place_of_the_one_before(talking: Talking) -> None:
    talking.say("q-1")
    talking.judge()
    (exchange,) = drawn(talking)
    at = {"exchangeId": exchange["exchangeId"]}
    first = talking.told("POST", REVIEWS, json={**at, "scores": {"overall": 2, "safety": 5}, "comment": "Meh."})
    talking.application.clock.now = NOON + timedelta(hours=1)
    second = talking.told("POST", REVIEWS, json={**at, "scores": {"overall": 4}, "labels": ["short", "short", ""]})
    (listed,) = talking.told("GET", REVIEWS)["reviews"]
    assert second["reviews"] == [
        {
            **first["reviews"][0], "scores": {"overall": 4}, "labels": ["short"], "comment": "",
            "updatedAt": "2028-02-29T13:00:00.000Z",
        }
    ]  # fmt: skip
    assert listed.items() >= second["reviews"][0].items()
    talking.told("POST", REVIEWS, json={**at, "reviewer": "ann", "comment": "Fine."})
    path = f"{REVIEWS}/{at['exchangeId']}"
    assert talking.told("DELETE", path, reviewer="ann")["deleted"]["comment"] == "Fine."
    assert talking.ask("DELETE", path, reviewer="ann").status_code == 404
    assert talking.told("DELETE", path)["deleted"] == second["reviews"][0]
    assert talking.told("GET", REVIEWS)["reviews"] == []


def test_personal_data_is_redacted_unless_the_project_allows_it(running: Talking) -> None:
    for policy, comment, label in (
        ("redact", "Ask [email]", "[email]"),
        ("reject", "Ask [email]", "[email]"),
        ("allow", "Ask ada@example.org", "ada@example.org"),
    ):
        talking = running.fresh(pii=policy)
        talking.say("q-1")
        body = {"exchangeId": drawn(talking)[0]["exchangeId"], "comment": "Ask ada@example.org"}
        (kept,) = talking.told("POST", REVIEWS, json={**body, "labels": ["ada@example.org"]})["reviews"]
        assert (kept["comment"], kept["labels"]) == (comment, [label])


def test_who_may(talking: Talking, running: Talking) -> None:
    talking.say("q-1")
    body = {"exchangeId": drawn(talking)[0]["exchangeId"], "scores": {"overall": 4}}
    keys, others = talking.keys, running.fresh().keys
    write = {
        None: 401,
        "nobodys": 401,
        keys["read"]: 403,
        keys["ingest"]: 403,
        others["admin"]: 404,
        keys["admin"]: 200,
    }
    read = {None: 401, "nobodys": 401, keys["ingest"]: 403, others["read"]: 404, keys["read"]: 200, ADMIN: 200}
    for path in (REVIEWS, SAMPLE):
        assert {key: talking.ask("GET", path, key).status_code for key in read} == read
    assert {key: talking.ask("POST", REVIEWS, key, json=body).status_code for key in write} == write
    (review,) = talking.told("GET", REVIEWS)["reviews"]
    assert review["reviewer"].endswith("…)")
    delete = f"{REVIEWS}/{body['exchangeId']}"
    assert {key: talking.ask("DELETE", delete, key).status_code for key in write} == write


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ([], "reviews", 400),
        ("x", None, 400),
        ({}, "exchangeId", 400),
        ({"exchangeId": "xyz"}, "exchangeId", 400),
        ({"exchangeId": 7}, "exchangeId", 400),
        ({"exchangeId": "11" * 8 + "1"}, "exchangeId", 400),
        ({"exchangeId": "ab"}, "scores", 400),
        ({"exchangeId": "ab", "scores": {}}, "scores", 400),
        ({"exchangeId": "ab", "scores": {"overall": 6}}, "scores.overall", 400),
        ({"exchangeId": "ab", "scores": {"overall": 0}}, "scores.overall", 400),
        ({"exchangeId": "ab", "scores": {"overall": 4.5}}, "scores.overall", 400),
        ({"exchangeId": "ab", "scores": {"beauty": 4}}, "scores.beauty", 400),
        ({"exchangeId": "ab", "scores": 4}, "scores", 400),
        ({"exchangeId": "ab", "labels": "x"}, "labels", 400),
        ({"exchangeId": "ab", "labels": ["x" * 41]}, "labels.0", 400),
        ({"exchangeId": "ab", "labels": ["x"] * 9}, "labels", 400),
        ({"exchangeId": "ab", "comment": "x" * 2_001}, "comment", 400),
        ({"exchangeId": "ab", "comment": "x", "reviewer": " "}, "reviewer", 400),
        ({"exchangeId": "ab", "comment": "x", "reviewer": "x" * 201}, "reviewer", 400),
        ({"exchangeId": "ab", "comment": "x", "stars": 5}, "stars", 400),
        ({"exchangeId": "ab", "comment": "x"}, "exchangeId", 404),
        (
            [{"exchangeId": "ab", "comment": "x"}, {"exchangeId": "ab", "scores": {"overall": 9}}],
            "1.scores.overall",
            400,
        ),
        ([{"exchangeId": "ab", "comment": "x"}, 5], "1", 400),
        ([{"exchangeId": "ab", "comment": "x"}] * 501, "reviews", 400),
    ],
)
def test_what_is_no_review(judged: Talking, body: Any, field: str | None, status: int) -> None:
    answer = judged.ask("POST", REVIEWS, json=body)
    assert (answer.status_code, answer.json()["error"].get("field")) == (status, field), answer.text


def test_all_reviews_of_a_request_are_kept_or_none(talking: Talking) -> None:
    talking.say("q-1")
    known = {"exchangeId": drawn(talking)[0]["exchangeId"], "comment": "x"}
    answer = talking.ask("POST", REVIEWS, json=[known, {**known, "exchangeId": "ab"}])
    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "1.exchangeId")
    assert talking.told("GET", REVIEWS)["reviews"] == []


@pytest.mark.parametrize(
    ("path", "params", "field", "status"),
    [
        (REVIEWS, {"evaluator": "nobody@1"}, "evaluator", 404),
        (REVIEWS, {"evaluator": "quality@2"}, "evaluator", 404),
        (REVIEWS, {"evaluator": "quality@x"}, "evaluator", 404),
        (REVIEWS, {"limit": 0}, "limit", 400),
        (REVIEWS, {"from": "2028-02-29", "to": "2028-02-28"}, "from", 400),
        (REVIEWS, {"stars": 5}, "stars", 400),
        (SAMPLE, {"strategy": "best"}, "strategy", 400),
        (SAMPLE, {"scores": "some"}, "scores", 400),
        (SAMPLE, {"reviewer": "x" * 201}, "reviewer", 400),
        (COMPARE, {}, "versions", 409),
        (COMPARE, {"versions": "1"}, "versions", 400),
        (COMPARE, {"versions": "1..1"}, "versions", 400),
        (COMPARE, {"versions": "1..x"}, "versions", 400),
        (COMPARE, {"versions": "1..2"}, "versions", 404),
        ("/v1/evaluators/nobody/compare", {}, "key", 404),
    ],
)
def test_what_is_no_question(judged: Talking, path: str, params: dict[str, Any], field: str, status: int) -> None:
    answer = judged.ask("GET", path, **params)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field), answer.text


@pytest.mark.parametrize("path", [REVIEWS, SAMPLE, COMPARE])
def test_only_projects_with_the_pack_have_reviews(running: Talking, path: str) -> None:
    name, _ = running.application.make("web")
    answer = Talking(running.application, name).ask("GET", path)
    assert answer.status_code == 409
    assert f"tallymark projects update {name} --pack web --pack voice" in answer.json()["error"]["message"]


def test_ids_are_written_as_the_engine_writes_them(engine: Engine) -> None:
    numbers = [0, 1, 15, 16, 255, 256, 2**36 - 1, 2**63, 2**64 - 1]
    rows = engine.query("SELECT lower(hex(arrayJoin({n:Array(UInt64)})))", {"n": numbers})
    assert [identity_of(number) for number in numbers] == [text for (text,) in rows]
    assert [id_of(text) for (text,) in rows] == numbers


def test_versions_are_compared_on_what_both_judged(talking: Talking) -> None:
    for number in range(6):
        talking.say(f"q-{number}", ANSWERS[number % len(ANSWERS)], store_id="paris" if number < 2 else "berlin")
    talking.judge()
    before = {f"q-{n}": judged_by_rules(ANSWERS[n % len(ANSWERS)]) for n in range(6)}
    after = {name: {**scores, "overall": min(5, scores["overall"] + 1)} for name, scores in before.items()}
    after["q-5"]["overall"] = 1
    assert talking.judge_by({"filter": ["store:is:berlin"]}, after.__getitem__) == "quality@2"
    both = ["q-2", "q-3", "q-4", "q-5"]
    told = talking.told("GET", COMPARE)
    assert (told["evaluator"], told["before"], told["after"], told["changed"]) == ("quality", 1, 2, ["filter"])
    moved = [after[name]["overall"] - before[name]["overall"] for name in both]
    found = told["scores"]["overall"]
    assert (found["n"], found["difference"]) == (len(both), pytest.approx(sum(moved) / len(both), abs=1e-6))
    shares = [sum(m > 0 for m in moved), sum(m < 0 for m in moved), moved.count(0)]
    assert [found["better"], found["worse"], found["equal"]] == pytest.approx([s / 4 for s in shares], abs=1e-6)
    turned = talking.told("GET", COMPARE, versions="2..1")["scores"]["overall"]
    assert (turned["difference"], turned["better"]) == (-found["difference"], found["worse"])
    assert talking.told("GET", COMPARE, to="2028-02-28")["scores"]["overall"]["n"] == 0


def test_what_only_looks_like_an_evaluation_harms_no_number(talking: Talking) -> None:
    talking.say("q-1")
    talking.judge()
    (exchange,) = drawn(talking)
    talking.told("POST", REVIEWS, json={"exchangeId": exchange["exchangeId"], "scores": dict.fromkeys(SCORES, 4)})
    talking.judge_by({"sampleRate": 0.9999999}, lambda _: {"overall": 5})
    forged = {
        "event": "voice_evaluated",
        "timestamp": NOON.isoformat(),
        "properties": {
            "exchangeId": exchange["exchangeId"], "evaluator": "quality@2", "overall": 99, "safety": "none",
            "relevance": 2.5, "helpfulness": [1], "correctness": 3,
        },
    }  # fmt: skip
    assert talking.ask("POST", "/v1/events", talking.keys["ingest"], json=forged).json()["accepted"] == 1
    assert talking.told("GET", REVIEWS, evaluator="quality@2")["agreement"]["evaluator"] == "quality@2"
    compared = talking.told("GET", COMPARE)["scores"]
    assert (compared["overall"]["after"], compared["safety"]["n"], compared["relevance"]["n"]) == (5, 0, 0)


def test_reviews_of_what_has_expired_stay_without_texts(talking: Talking) -> None:
    talking.talk(2)
    talking.judge()
    body = [{"exchangeId": each["exchangeId"], "scores": {"overall": 4}} for each in drawn(talking)]
    talking.told("POST", REVIEWS, json=body)
    talking.here.engine.command(
        "ALTER TABLE events DELETE WHERE project = {project:UInt32} AND event IN ('voice_exchange', 'voice_evaluated') "
        "SETTINGS mutations_sync = 2",
        {"project": talking.application.project(talking.name).id},
    )
    told = talking.told("GET", REVIEWS, evaluator="quality@1")
    assert len(told["reviews"]) == 2
    assert {(each["transcript"], each["evaluation"]) for each in told["reviews"]} == {(None, None)}
    assert told["agreement"]["scores"]["overall"]["n"] == 0


def test_reviews_go_with_the_person(running: Talking) -> None:
    talking = running.fresh(packs=["web", "voice"])
    project = talking.application.project(talking.name).id
    talking.say("q-1", user_id="v-1")
    talking.say("q-2", user_id="v-2")
    talking.judge()
    talking.told("POST", REVIEWS, json=[{"exchangeId": e["exchangeId"], "comment": "x"} for e in drawn(talking)])
    theirs = talking.here.receiver.enricher.actor(project, "v-1")
    ((exchange,),) = talking.here.engine.query(
        "SELECT event_id FROM events FINAL WHERE project = {p:UInt32} AND actor = {a:UInt64} "
        "AND event = 'voice_exchange'",
        {"p": project, "a": theirs},
    )
    lead = {"propertyId": talking.name, "email": "ada@example.org", "visitorId": "v-1"}
    assert talking.ask("POST", "/web/v1/leads/capture", json=lead).status_code == 201
    evaluator = talking.here.evaluators.get(project, "quality")
    assert evaluator is not None
    assert talking.here.evaluations.standing(evaluator.id).counts == {"done": 2}
    gone = talking.ask("POST", "/web/v1/leads/delete", json={"propertyId": talking.name, "email": "ada@example.org"})
    assert gone.json()["deleted"]["actors"] == 1, gone.text
    (left,) = talking.told("GET", REVIEWS)["reviews"]
    assert left["exchangeId"] != identity_of(exchange)
    assert talking.here.evaluations.standing(evaluator.id).counts == {"done": 1}
