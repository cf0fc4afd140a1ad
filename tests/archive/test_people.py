"""A person who is deleted is in no archive of the project any more, and comes back from none."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq

from tallymark.engine.base import Engine
from tallymark.spec.month import Month
from tallymark.spec.project import Project
from tests.packs.web.site import NAME, Site, running

ADA, BOB = "ada@example.org", "bob@example.org"


def actors(folder: Path) -> set[int]:
    """The actors of all files."""
    return {actor for path in folder.glob("*.parquet") for actor in pq.read_table(path)["actor"].to_pylist()}


def archive(site: Site) -> Path:
    """Archives what there is; gives where."""
    month = Month.of(site.at().date())
    site.here.archives.make(site.project, month, incomplete=True, tell=lambda _rows, _of: None)
    return site.here.settings.files_path / "archives"


def test_a_deleted_person_is_in_no_archive(tmp_path: Path, engine: Engine, project: Callable[..., Project]) -> None:
    with running(tmp_path / "data", engine, project) as site:
        hashed = site.here.receiver.enricher.actor
        for visitor, email in (("v-ada", ADA), ("v-bob", BOB)):
            site.send({"visitorId": visitor}, {"visitorId": visitor, "path": "/thanks"})
            site.capture(email, visitorId=visitor)
        ada, bob = (hashed(site.project.id, visitor) for visitor in ("v-ada", "v-bob"))
        folder = archive(site)
        assert {ada, bob} <= actors(folder)
        (before,) = site.here.archives.shelf.all()

        damaged = folder / before.file
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:-1])
        refused = site.admin("/leads/delete", email=ADA)  # nothing goes, rather than some of it
        assert refused.status_code == 409
        assert ada in {row["actor"] for row in site.rows()}
        damaged.write_bytes(whole)

        assert site.admin("/leads/delete", email=ADA).json()["deleted"]["actors"] == 1
        assert actors(folder) == {bob}
        assert not damaged.exists()
        (after,) = site.here.archives.shelf.all()
        assert (after.id, after.rows, after.fingerprint) == (before.id, before.rows - 3, None)
        site.here.archives.restore(after.id, site.project, timedelta(days=1), lambda _rows, _of: None)
        assert {row["actor"] for row in site.rows()} == {bob}
        fresh = site.here.archives.make(site.project, Month.of(site.at().date()), True, lambda _rows, _of: None)
        assert fresh.archive.sha256 == after.sha256  # as if the person had never been there

        assert site.admin("/leads/delete", email=BOB).json()["deleted"]["actors"] == 1
        assert (site.here.archives.shelf.all(), list(folder.iterdir())) == ([], [])
        assert site.project.name == NAME
