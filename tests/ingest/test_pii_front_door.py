"""No answer and no line of the log repeats personal data, whatever a project does with it."""

import json
from collections.abc import Iterator

import pytest

from benchmarks import personal_data
from tests.server import RunningServer

#: Shorter ones may stand in an answer by chance.
SAMPLES = [sample for sample in personal_data.samples(4, seed=3) if not sample.hard and len(sample.value) > 5]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that logs all it can."""
    with RunningServer(tmp_path_factory.mktemp("pii") / "data", TALLYMARK_LOG_LEVEL="debug") as running:
        yield running


@pytest.mark.parametrize("policy", ["reject", "redact"])
def test_answers_and_logs_never_hold_what_was_found(server: RunningServer, policy: str) -> None:
    key = server.project(policy, pii=policy)["ingest"]
    with server.client(key) as client:
        answers = [client.post("/v1/events", content=sample.body) for sample in SAMPLES]
        events = [{"event": sample.value[:200], "value": sample.value} for sample in SAMPLES]
        malformed = client.post("/v1/events", json=events)
    refusals = [refusal for answer in answers for refusal in answer.json()["rejected"]]
    assert {refusal["reason"] for refusal in refusals} == ({"pii"} if policy == "reject" else set())
    assert len(refusals) >= (0.95 * len(SAMPLES) if policy == "reject" else 0)
    said = [*(answer.text for answer in answers), malformed.text, server.log.read_text(encoding="utf-8")]
    for sample in SAMPLES:
        spelled = {sample.value, json.dumps(sample.value)[1:-1]}
        assert not any(value in text for text in said for value in spelled), sample.family


def test_a_refusal_names_path_and_kind(server: RunningServer) -> None:
    key = server.project("strict", pii="reject")["ingest"]
    sent = {"event": "x", "properties": {"user": {"contact": ["ada@example.org"]}, "a@b.org": 1}}
    (refusal,) = server.ask("POST", "/v1/events", key, json=sent).json()["rejected"]
    message = "`properties.user.contact[0]` holds personal data of the kind `email`."
    assert refusal == {"index": 0, "reason": "pii", "message": message}
    (refusal,) = server.ask("POST", "/v1/events", key, json=sent | {"properties": {"a@b.org": 1}}).json()["rejected"]
    assert refusal["message"] == "`properties.[email]` holds personal data of the kind `email`."


def test_more_than_is_looked_at_is_refused_or_redacted_whole(server: RunningServer) -> None:
    """And so is what lies as deep as JSON may."""
    deep = "[" * 900 + '"ada@example.org"' + "]" * 900
    body = f'[{{"event": "many", "properties": {{"a": "{"email=a&" * 2_000}", "plan": "pro"}}}}, '
    body += f'{{"event": "deep", "properties": {{"a": {deep}}}}}, {{"event": "fine", "properties": {{"plan": "pro"}}}}]'
    strict, mild = (server.project(f"hostile-{policy}", pii=policy)["ingest"] for policy in ("reject", "redact"))
    refusals = server.ask("POST", "/v1/events", strict, content=body).json()["rejected"]
    shown = "a[0][0][0]…[0][0][0][0]"
    assert refusals == [
        {"index": at, "reason": "pii", "message": f"`properties.{field}` holds personal data of the kind `email`."}
        for at, field in enumerate(["a", shown])
    ]
    answer = server.ask("POST", "/v1/events", mild, content=body).json()
    assert (answer["accepted"], answer["rejected"]) == (3, [])
