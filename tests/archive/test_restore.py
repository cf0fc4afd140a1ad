"""What comes back from an archive is what was put away, however much of it is still there, and nothing twice."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.engine.base import Engine
from tallymark.errors import Conflict, NotFound
from tests.archive.desk import Desk, at, desk
from tests.archive.test_make import spread, visit
from tests.conftest import SLOW
from tests.s3 import running_s3


@pytest.fixture(scope="module")
def here(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("restore"), engine) as opened:
        yield opened


def test_deleted_and_restored(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(*spread(5, at("2031-03-02"), 20))
        before = here.events()
        archive = here.make("2031-03").archive
        here.delete()
        assert here.events() == []
        back = here.restore(archive)
        assert (back.restored.rows, back.restored.written) == (len(before), len(before))
        assert here.events() == before
        assert here.told[-1] == (len(before), len(before))
        again = here.restore(archive)
        assert (again.restored.rows, again.restored.written, here.events()) == (len(before), 0, before)
        assert len(here.jobs("restore")) == 2


def test_no_time_becomes_shorter(engine: Engine, tmp_path: Path) -> None:
    soon, far = int((datetime.now(UTC) + timedelta(days=3)).timestamp()), 4_000_000_000
    with desk(tmp_path, engine) as here:
        here.store(visit(1, at("2031-03-02"), expires_at=soon), visit(2, at("2031-03-02"), expires_at=far))
        archive = here.make("2031-03").archive
        back = here.restore(archive, days=300)
        until = int(back.until.timestamp())
        assert (back.restored.written, here.expiries()) == (1, [until, far])
        assert until >= (datetime.now(UTC) + timedelta(days=300)).timestamp()
        assert here.restore(archive, days=30).restored.written == 0
        assert here.expiries() == [until, far]


_PROPS = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\0."), min_size=1, max_size=4),
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=6), st.booleans(), st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(0, 9), max_size=3),
        st.sampled_from(["2031-03-02", "2031-03-02T10:00:00Z", "2031-03-02 10:00:00.5", "1e3", "true"]),
    ),
    max_size=4,
)  # fmt: skip


@settings(SLOW, max_examples=3)
@given(
    events=st.lists(st.tuples(_PROPS, st.booleans(), st.booleans()), min_size=1, max_size=25),
    seed=st.integers(0, 10**6),
)
def test_whatever_is_left_the_same_comes_back(
    here: Desk, events: list[tuple[dict[str, object], bool, bool]], seed: int
) -> None:
    name, _ = here.app.make("web", retention="3650d")
    one = Desk(here.app, name)
    rows = [
        visit(n, at("2031-03-02") + timedelta(hours=(seed + n * 37) % 600), props=json.dumps(props))
        for n, (props, _, _) in enumerate(events)
    ]
    one.store(*rows)
    before = one.events()
    archive = one.make("2031-03").archive
    gone = [row["event_id"] for row, (_, kept, _) in zip(rows, events, strict=True) if not kept]
    one.delete(f"event_id IN {gone or [0]}")
    later = [row for row, (_, _, resent) in zip(rows, events, strict=True) if resent]
    if later:  # what is sent again arrived later, and doesn't count
        one.store(*({**row, "path": "/again", "received_at": at("2031-04-01")} for row in later))
    one.restore(archive)
    assert one.events() == before


def test_a_file_that_is_not_what_was_written_restores_nothing(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine) as here:
        here.store(*spread(6, at("2031-03-02"), 20))
        archive = here.make("2031-03").archive
        here.delete()
        path = here.folder / archive.file
        whole = path.read_bytes()
        for broken in (whole[:-1], whole[:99] + bytes([whole[99] ^ 1]) + whole[100:]):
            path.write_bytes(broken)
            with pytest.raises(Conflict, match="is not the one that was written"):
                here.restore(archive)
            assert here.events() == []
        assert here.jobs("restore")[0] == ("failed", "Conflict")
        path.unlink()
        with pytest.raises(Conflict, match="is gone"):
            here.restore(archive)
        manifest = here.folder / f"{archive.id}.json"
        path.write_bytes(whole)
        told = json.loads(manifest.read_bytes())
        for change, why in (
            ({"rows": 1}, "other columns or rows"),
            ({"format": 2}, "later version"),
            ({"rows": "?"}, "any more"),
        ):
            manifest.write_text(json.dumps({**told, **change}))
            with pytest.raises(Conflict, match=why):
                here.restore(archive)
        assert here.events() == []
        for unknown in ("arc_2031-03_0123456789abcdef", "../secret", "x"):
            with pytest.raises(NotFound):
                here.archives.shelf.get(unknown)
        manifest.write_text(json.dumps(told))
        assert here.restore(archive).restored.written == archive.rows


def test_a_bucket(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3(tmp_path / "s3") as server:
        for name, value in server.credentials.items():
            monkeypatch.setenv(name, value)
        with desk(tmp_path / "data", engine, files=server.url("here")) as here:
            here.store(*spread(7, at("2031-03-02"), 20))
            before = here.events()
            archive = here.make("2031-03").archive
            stored = sorted(path.name for path in (server.objects / "here/archives").iterdir())
            assert stored == [archive.file, f"{archive.id}.json"]
            assert here.archives.shelf.all() == [archive]
            here.delete()
            assert here.restore(archive).restored.written == len(before)
            assert here.events() == before
            here.archives.delete(archive.id)
            assert here.archives.shelf.all() == []
            assert [path for path in server.objects.rglob("*") if path.is_file()] == []
