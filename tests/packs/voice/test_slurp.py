"""Recordings of SLURP as events: what the script writes is what an import takes, of sentences like SLURP's."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.slurp_events import answer, events
from tallymark.ingest.decode import decode
from tallymark.packs.voice.wire import event_of

SCRIPT = Path(__file__).parents[3] / "scripts/slurp_events.py"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def _recording(file: str, wer: float) -> dict[str, Any]:
    return {"file": file, "wer": wer, "ent_wer": 0.0, "status": "correct"}


def _tokens(*words: str) -> list[dict[str, Any]]:
    return [{"surface": word, "id": place, "lemma": word, "pos": "NN"} for place, word in enumerate(words)]


SENTENCES = [
    {
        "slurp_id": 1, "sentence": "wake me at nine am", "intent": "alarm_set", "action": "set", "scenario": "alarm",
        "tokens": _tokens("wake", "me", "at", "nine", "am"), "entities": [{"span": [3, 4], "type": "time_of_day"}],
        "recordings": [_recording("audio-1-headset.flac", 0.0), _recording("audio-1.flac", 0.4)],
    },
    {
        "slurp_id": 2, "sentence": "café?", "intent": "qa_query", "action": "query", "scenario": "qa",
        "tokens": _tokens("café?"), "entities": [], "recordings": [_recording("audio-2.flac", 1.25)],
    },
]  # fmt: skip
LINES = "".join(json.dumps(sentence, ensure_ascii=False) + "\n" for sentence in SENTENCES)


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    return list(events(io.StringIO(LINES), FIRST))


def test_a_recording_is_a_query_and_its_outcome(made: list[dict[str, Any]]) -> None:
    assert len(made) == 6
    common = {"queryId": "audio-1-headset.flac", "storeId": "headset", "device": "headset", "intent": "alarm_set",
              "language": "en"}  # fmt: skip
    assert made[:2] == [
        {
            "event": "voice_query",
            "timestamp": "2024-01-01T00:00:00+00:00",
            "eventId": "voice_query\naudio-1-headset.flac",
            "properties": {**common, "transcript": "wake me at nine am", "wordErrorRate": 0.0},
        },
        {
            "event": "voice_outcome",
            "timestamp": "2024-01-01T00:00:01+00:00",
            "eventId": "voice_outcome\naudio-1-headset.flac",
            "properties": {**common, "response": "Alarm, set: time of day nine am.", "success": True},
        },
    ]
    assert [made[n]["properties"]["device"] for n in (2, 4)] == ["no headset"] * 2
    assert [event["properties"]["success"] for event in made[1::2]] == [True, False, False]
    assert [event["timestamp"][11:19] for event in made[::2]] == ["00:00:00", "00:03:18", "00:06:36"]


def test_what_was_meant_stands_for_an_answer() -> None:
    assert [answer(sentence) for sentence in SENTENCES] == ["Alarm, set: time of day nine am.", "Qa, query."]


def test_an_import_takes_it_as_the_voice_endpoint_would(made: list[dict[str, Any]]) -> None:
    decoded = decode(json.dumps(made).encode())
    assert not decoded.rejections
    for event in decoded.events:
        properties = event.properties or {}
        sent = {"event_type": event.event, "timestamp": event.timestamp, **properties}
        assert event_of(sent) == event


def test_the_command_reads_a_file_or_standard_input(tmp_path: Path, made: list[dict[str, Any]]) -> None:
    file = tmp_path / "slurp.jsonl"
    file.write_text(LINES, encoding="utf-8")
    command = [sys.executable, str(SCRIPT)]
    outputs = [
        subprocess.run([*command, *arguments], input=LINES, capture_output=True, encoding="utf-8", check=True).stdout
        for arguments in ([str(file)], ["--first-day", "2024-01-01"])
    ]
    assert [[json.loads(line) for line in output.splitlines()] for output in outputs] == [made, made]
