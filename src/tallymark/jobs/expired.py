"""Exports that are past their time: their files go, and after a week they themselves."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tallymark.control.exports import Exports
from tallymark.export.files import Files, owner_of, stored_name

#: How long an export is listed after its file is gone, or it failed.
_LISTED: Final = timedelta(days=7)
#: What belongs to no export may be about to: it is left alone for this long.
_YOUNG: Final = timedelta(hours=1)


def forget_expired(exports: Exports, files: Files, now: datetime, dry_run: bool = False) -> int:
    """Deletes the files of exports that have expired, and exports that did so a week ago; gives how many of both.

    Errors: `Unavailable` where the files can't be reached.
    """
    overdue, before = exports.overdue(now), now - _LISTED
    count = len(overdue) + exports.count_over(before)
    if dry_run:
        return count
    if overdue:
        exports.expire(overdue)  # no link is given out from here on
    for export in overdue:
        files.delete(stored_name(export))
    exports.prune(before)
    return count


def forget_orphans(exports: Exports, files: Files, now: datetime, dry_run: bool = False) -> int:
    """Deletes files and drafts that belong to no export, as a crash leaves them; gives how many.

    Errors: `Unavailable` where the files can't be reached.
    """
    known = {export.id for export in exports.holding()}
    names = [f.name for f in files.stored() if _orphan(owner_of(f.name), f.modified, known, now)]
    drafts = [name for name, modified in _drafts(files.drafts) if _orphan(owner_of(name), modified, known, now)]
    if not dry_run:
        for name in names:
            files.delete(name)
        for name in drafts:
            shutil.rmtree(files.drafts / name, ignore_errors=True)
    return len(names) + len(drafts)


def _drafts(folder: Path) -> Iterator[tuple[str, datetime]]:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            yield path.name, datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def _orphan(owner: str | None, modified: datetime, known: Collection[str], now: datetime) -> bool:
    """Whether what was made for an export is left over; what was made for none is not ours."""
    return owner is not None and owner not in known and modified <= now - _YOUNG
