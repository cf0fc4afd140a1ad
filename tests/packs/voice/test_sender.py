"""Who sends for voice assistants is a server: what its HTTP library calls itself makes nobody a bot."""

from pathlib import Path

from tallymark.engine.base import Engine
from tests.packs.voice.test_demo import NOON
from tests.packs.world import application

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def test_the_user_agent_of_the_request_is_not_looked_at_and_that_of_an_event_is(tmp_path: Path, engine: Engine) -> None:
    with application(tmp_path, engine, NOON) as running:
        name, keys = running.make("voice")
        for agent in ("curl/8.5.0", "python-httpx/0.28", "undici", BOT, ""):
            event = {"event_type": "voice_query", "query_id": f"of {agent}", "timestamp": NOON.timestamp()}
            headers = {"x-api-key": keys["ingest"], "user-agent": agent}
            assert running.client.post("/voice/ingest", json=event, headers=headers).status_code == 202
        crawler = {"event_type": "voice_query", "query_id": "seen", "timestamp": NOON.timestamp(), "user_agent": BOT}
        running.client.post("/voice/ingest", json=crawler, headers={"x-api-key": keys["ingest"]})
        rows = running.here.engine.query(
            "SELECT bot, count() FROM events FINAL WHERE project = {project:UInt32} GROUP BY bot ORDER BY bot",
            {"project": running.project(name).id},
        )
        assert [tuple(row) for row in rows] == [("", 5), ("Googlebot", 1)]
