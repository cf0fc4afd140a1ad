"""Taking people's events out of an archive: what is left is the archive of what is left."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallymark.archive.columns import HEAD
from tallymark.archive.manifest import MADE_BY, Manifest
from tallymark.archive.shelf import Shelf, file_name, row_groups
from tallymark.archive.work import Work
from tallymark.archive.write import draft, write_file
from tallymark.spec.window import today


@dataclass(frozen=True)
class Theirs:
    """Which events go: some by their ids, and all of some actors but for those with ids that are `kept`."""

    actors: Collection[int]
    events: Collection[int] = ()
    kept: Collection[int] = ()

    def of(self, rows: pa.Table) -> pa.Array:
        """Of each row whether it goes."""
        spared = pc.invert(_among(rows["event_id"], self.kept))
        return pc.or_(_among(rows["event_id"], self.events), pc.and_(_among(rows["actor"], self.actors), spared))


def forget(shelf: Shelf, archive: Manifest, theirs: Theirs, now: datetime, work: Work) -> int:
    """Writes an archive anew without some events, or deletes one that has no others; gives how many went.

    Errors: `Conflict` where its file is not what was written; `Unavailable`.
    """
    file = shelf.fetch(archive, HEAD, work.folder / "before", work.look)
    count: int = sum(pc.sum(theirs.of(rows)).as_py() for rows in _identities(file))
    if not count:
        return 0
    done = write_file(_others(file, theirs), archive.rows - count, work)
    if done is None:
        shelf.remove(archive.id)
        return archive.rows
    changed = msgspec.structs.replace(
        archive, rows=done.rows, first_day=today(archive.timezone, done.first),
        last_day=today(archive.timezone, done.last), file=file_name(archive.id, done.sha256), bytes=done.size,
        sha256=done.sha256, fingerprint=None, made_at=now, made_by=MADE_BY,
    )  # fmt: skip
    shelf.put(changed, draft(work), work.look)
    return count


def _identities(file: pq.ParquetFile) -> Iterator[pa.Table]:
    for place in range(file.num_row_groups):
        yield file.read_row_group(place, ["actor", "event_id"])


def _others(file: pq.ParquetFile, theirs: Theirs) -> Iterator[pa.Table]:
    """The rows that stay."""
    for rows in row_groups(file):
        left = rows.filter(pc.invert(theirs.of(rows)))
        if left.num_rows:
            yield left


def _among(values: pa.ChunkedArray, some: Collection[int]) -> pa.ChunkedArray:
    return pc.is_in(values, value_set=pa.array(sorted(some), pa.uint64()))
