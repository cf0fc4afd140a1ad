"""Turns recordings of SLURP into events of voice assistants, as JSON lines for `tallymark import jsonl`.

    python scripts/slurp_events.py slurp_test.jsonl > events.jsonl
    tallymark import jsonl events.jsonl --project slurp

SLURP (Bastianelli, Vanzo, Swietojanski and Rieser, EMNLP 2020) is a set of sentences that people said to a voice
assistant at home: each a line of JSON with its intent, scenario, action, tokens, entities, and recordings, of which
each has the word error rate that a speech recognition had on it. Its text is under CC BY 4.0.

Every recording becomes a voice_query and a voice_outcome with the name of its file as queryId. It succeeds if every
word was recognised. SLURP has no answers: what the annotation says that was meant, spelled out, stands in for one, as
in "Calendar, set: event name mona, date tuesday." Times are made up, too: the recordings happen 198 seconds apart,
which is 30 days for the 13,078 of the test set. `storeId` and `device` are `headset` or `no headset`.
"""

import argparse
import fileinput
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

#: Between two recordings.
_APART: Final = timedelta(seconds=198)

#: From a query to its outcome.
_TOOK: Final = timedelta(seconds=1)


def events(lines: Iterable[str], first: datetime) -> Iterator[dict[str, Any]]:
    """A query and an outcome of each recording, the first of which happens at `first`."""
    at = first
    for line in lines:
        said = json.loads(line)
        for recording in said["recordings"]:
            yield from _of(said, recording, at)
            at += _APART


def answer(said: Mapping[str, Any]) -> str:
    """What the assistant is meant to do: "Calendar, set: event name mona, date tuesday."."""
    surfaces = [token["surface"] for token in said["tokens"]]
    entities = [f"{entity['type']} {' '.join(surfaces[place] for place in entity['span'])}"
                for entity in said["entities"]]  # fmt: skip
    meant = f"{said['scenario']}, {said['action']}" + (f": {', '.join(entities)}" if entities else "")
    return meant[:1].upper() + meant[1:].replace("_", " ") + "."


def _of(said: Mapping[str, Any], recording: Mapping[str, Any], at: datetime) -> Iterator[dict[str, Any]]:
    file, wrong = recording["file"], recording["wer"]
    device = "headset" if "headset" in file else "no headset"
    common = {"queryId": file, "storeId": device, "device": device, "intent": said["intent"], "language": "en"}
    query = {"transcript": said["sentence"], "wordErrorRate": wrong}
    outcome = {"response": answer(said), "success": wrong == 0}
    for name, own, when in (("voice_query", query, at), ("voice_outcome", outcome, at + _TOOK)):
        yield {
            "event": name,
            "timestamp": when.isoformat(),
            "eventId": f"{name}\n{file}",
            "properties": {**common, **own},
        }


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="SLURP's JSON lines; - is standard input, the default")
    parser.add_argument("--first-day", type=_day, default="2024-01-01", metavar="DAY", help="default %(default)s")
    asked = parser.parse_args(arguments)
    with fileinput.input(asked.files or "-", encoding="utf-8") as lines:
        for event in events(lines, asked.first_day):
            print(json.dumps(event))


if __name__ == "__main__":
    main()
