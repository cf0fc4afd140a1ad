"""What is in an archive: every event of the month once, as it is stored, in the same bytes each time."""

import hashlib
import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.errors import BadQuery, Conflict, NotFound
from tallymark.rollup.run import publish, published
from tallymark.spec.month import Month, months_near, read_month
from tests.archive.desk import NOW, Desk, at, desk, ms, table_of


def visit(n: int, moment: datetime, **fields: Any) -> dict[str, Any]:
    return {"occurred_at": moment, "actor": n % 5 + 1, "event_id": n + 1, "path": f"/{n % 3}", **fields}


def spread(seed: int, first: datetime, days: int, count: int = 60) -> list[dict[str, Any]]:
    """Events of some days, some of them twice: what came later has another path, and is not what counts."""
    draw = Random(seed)
    events = []
    for n in range(count):
        moment = first + timedelta(milliseconds=draw.randrange(days * 86_400_000))
        event = visit(
            n, moment, event=draw.choice(["page_view", "order", "ä"]), received_at=moment + timedelta(minutes=5),
            value=draw.choice([None, 0.1, -3.0]), source=draw.choice(["", "Google"]), session=draw.getrandbits(64),
            variants=draw.choice([[], ["a/b", "c/d"]]), props=json.dumps({"n": n, "deep": {"text": "ü"}}),
            expires_at=4_000_000_000 + n,
        )  # fmt: skip
        events.append(event)
        if n % 4 == 0:
            events.append({**event, "path": "/later", "received_at": moment + timedelta(hours=1)})
    return events


def expected(events: list[dict[str, Any]], start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The events of a span: of those with one identity the first to arrive, by UTC day, name, actor and id."""
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in events:
        if start <= event["occurred_at"] < end:
            name = event.get("event", "page_view")
            key = (event["occurred_at"].date(), name.encode(), event["actor"], event["event_id"])
            held = first.get(key)
            if held is None or event["received_at"] < held["received_at"]:
                first[key] = event
    return [first[key] for key in sorted(first)]


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", at("2031-03-01"), at("2031-04-01")),
        ("Europe/Berlin", at("2031-02-28T23:00"), at("2031-03-31T22:00")),
    ],
)
def test_every_event_of_the_month_once(
    engine: Engine, tmp_path: Path, zone: str, start: datetime, end: datetime
) -> None:
    tick = timedelta(milliseconds=1)
    edges = [
        visit(n, moment, received_at=moment) for n, moment in enumerate((start - tick, start, end - tick, end), 900)
    ]
    events = [*spread(1, start - timedelta(days=3), 40), *edges]
    with desk(tmp_path, engine, zone=zone) as here:
        here.store(*events)
        made = here.make("2031-03")
        rows = table_of(here.folder, made.archive).to_pylist()
        assert here.told[-1] == (len(rows), len(rows))
        assert here.jobs("archive") == [("done", f"{made.archive.id}: {len(rows)} events")]
    wanted = expected(events, start, end)
    assert {901, 902} == {event["event_id"] - 1 for event in wanted} & {900, 901, 902, 903}
    assert [(ms(row["occurred_at"]), row["event_id"]) for row in rows] == [
        (ms(event["occurred_at"]), event["event_id"]) for event in wanted
    ]
    for row, event in zip(rows, wanted, strict=True):
        told = {**row, "props": json.loads(row["props"]), "expires_at": int(row["expires_at"].timestamp())}
        asked = {**event, "props": json.loads(event.get("props", "{}"))}
        assert {name: told[name] for name in asked} == asked
        assert told["precedence"] == 2**63 - ms(event["received_at"])


def test_the_manifest_tells_what_is_in_the_file(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine, zone="Asia/Tokyo") as here:
        here.store(visit(1, at("2031-03-09T15:00")), visit(2, at("2031-03-20T14:59:59.999")))
        archive = here.make("2031-03").archive
        told = json.loads((here.folder / f"{archive.id}.json").read_bytes())
        content = (here.folder / archive.file).read_bytes()
        assert (told["project"]["name"], told["project"]["id"]) == (here.name, here.project.id)
        assert (told["format"], told["month"], told["timezone"], told["complete"]) == (1, "2031-03", "Asia/Tokyo", True)
        assert (told["rows"], told["firstDay"], told["lastDay"]) == (2, "2031-03-10", "2031-03-20")
        assert (told["bytes"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert [column["name"] for column in told["columns"]] == table_of(here.folder, archive).column_names
        assert here.archives.shelf.all() == [archive]


def test_the_same_events_give_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    events = spread(3, at("2031-03-02"), 20)
    with desk(tmp_path, engine) as here:
        here.store(*events)
        other, _ = here.app.make("web", retention="3650d")
        again = Desk(here.app, other)
        for part in range(3):
            again.store(*reversed(events[part::3]))
        first, second = here.make("2031-03").archive, again.make("2031-03").archive
        assert (first.sha256, first.bytes) == (second.sha256, second.bytes)
        assert first.id != second.id


def test_what_is_archived_already_is_left_until_it_changes(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(visit(1, at("2031-03-09")))
        first = here.make("2031-03")
        again = here.make("2031-03")
        assert (first.written, again.written, again.archive) == (True, False, first.archive)
        here.store(visit(2, at("2031-03-10")))  # a late one
        third = here.make("2031-03")
        assert (third.written, third.archive.rows, third.archive.id) == (True, 2, first.archive.id)
        assert sorted(path.name for path in here.folder.iterdir()) == [third.archive.file, f"{third.archive.id}.json"]
        assert len(here.jobs("archive")) == 2


def test_what_can_not_be_archived(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(visit(1, at("2031-05-02")))
        with pytest.raises(NotFound, match="no events of 2031-04"):
            here.make("2031-04")
        with pytest.raises(Conflict, match="2031-05 is not over in UTC"):
            here.make("2031-05")
        made = here.make("2031-05", incomplete=True)
        assert (made.written, made.archive.complete) == (True, False)
        here.app.clock.now = NOW + timedelta(days=30)
        assert here.make("2031-05").archive.complete
        here.app.change(here.name, timezone="Asia/Tokyo")
        with pytest.raises(Conflict, match="it is of days in UTC"):
            here.make("2031-05")


def test_an_archive_is_never_replaced_by_less(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(visit(1, at("2031-03-09")), visit(2, at("2031-03-10")))
        here.app.settle(here.name)
        archive = here.make("2031-03").archive
        here.delete("event_id = 2")
        with pytest.raises(Conflict, match="some of its events have gone since"):
            here.make("2031-03", incomplete=True)
        here.restore(archive)
        seal(here, date(2031, 3, 10))
        assert here.make("2031-03").written is False  # all of them are there
        here.store(visit(3, at("2031-03-10")))
        with pytest.raises(Conflict, match="stays as it is"):
            here.make("2031-03", incomplete=True)
        here.archives.delete(archive.id)
        with pytest.raises(Conflict, match="Events of 2031-03-10 have begun to go"):
            here.make("2031-03")
        assert here.make("2031-03", incomplete=True).archive.complete is False


def seal(here: Desk, day: date) -> None:
    """Makes a day's published run one whose events have begun to go."""
    (run,) = published(here.engine, here.project.id, day, day)
    publish(here.engine, [type(run)(**{**vars(run), "expires_from": datetime(2000, 1, 1, tzinfo=UTC)})])


def test_a_file_without_a_manifest_is_no_archive(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(visit(1, at("2031-03-09")))
        archive = here.make("2031-03").archive
        (here.folder / f"{archive.id}.json").unlink()  # as a process that was killed between the two leaves it
        left = here.folder / f"{archive.id}-{'0' * 16}.parquet"
        left.write_bytes(b"half of it")
        assert here.archives.shelf.all() == []
        here.app.clock.now = datetime.now(UTC)
        assert here.archives.sweep([], dry_run=False) == 0  # too young: its manifest may be on its way
        here.app.clock.now = NOW
        assert here.make("2031-03").archive.sha256 == archive.sha256
        assert not left.exists()
        left.write_bytes(b"half of it")
        os.utime(left, (time.time() - 7_200,) * 2)
        here.app.clock.now = datetime.now(UTC)
        assert here.ask("POST", "/v1/purge?dryRun=true").status_code == 200
        assert left.exists()
        steps = here.ask("POST", "/v1/purge").json()["steps"]
        assert [step["count"] for step in steps if step["step"] == "archives"] == [1]
        assert (left.exists(), len(here.archives.shelf.all())) == (False, 1)


def test_one_at_a_time(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(visit(1, at("2031-03-09")))
        here.archives._workplace._patience = 0.3
        here.app.here.turns.leases.acquire("archives", "another process", 60)
        with pytest.raises(Conflict, match="try again"):
            here.make("2031-03")
        here.app.here.turns.leases.release("archives", "another process")
        assert here.make("2031-03").written


def test_months() -> None:
    assert str(read_month("2024-02")) == "2024-02"
    assert read_month("2024-02").window("UTC").last == date(2024, 2, 29)
    assert months_near([date(2024, 2, 29)]) == [Month(2024, 2), Month(2024, 3)]
    for wrong in ("2024", "2024-13", "2024-2", "24-02", "2024-02-01", "٢٠٢٤-02"):
        with pytest.raises(BadQuery, match="YYYY-MM"):
            read_month(wrong)
