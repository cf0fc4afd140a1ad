"""An archive brings exchanges and what was judged of them into another project, where both count once."""

from datetime import timedelta

from tallymark.packs.voice.evaluating import Evaluating
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.world import ADMIN, bearer


def test_a_month_that_is_restored_into_another_project_is_neither_joined_nor_judged_anew(assistant: Assistant) -> None:
    later = NOON + timedelta(seconds=1)
    said = {"transcript": "when do you open"}, {"response": "At nine."}
    assistant.send(event("query", "q-1", **said[0]), event("outcome", "q-1", later, **said[1]))
    assistant.join()
    Evaluating.of(assistant.here).run(20.0, assistant.application.project(assistant.name))
    before = _counted(assistant)
    client = assistant.application.client
    where = {"project": assistant.name, "month": "2028-02", "incomplete": "true"}
    made = client.post("/v1/archives", params=where, headers=bearer(ADMIN)).text
    (archive,) = client.get("/v1/archives", params={"project": assistant.name}, headers=bearer(ADMIN)).json()[
        "archives"
    ]
    other = assistant.fresh()

    client.post(f"/v1/archives/{archive['id']}/restore", params={"project": other.name}, headers=bearer(ADMIN))
    joined = other.join()
    Evaluating.of(other.here).run(20.0, other.application.project(other.name))

    assert "refused" not in made
    assert joined == 0
    assert before == dict.fromkeys(("voice_query", "voice_outcome", "voice_exchange", "voice_evaluated"), 1)
    assert _counted(other) == before


def _counted(assistant: Assistant) -> dict[str, int]:
    names = [name for (name,) in assistant.stored("event", "bot = ''")]
    return {name: names.count(name) for name in names}
