"""An export, from what is asked for to the bytes of a file: in constant memory, and the same bytes each time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import pyarrow as pa

from tallymark.export import events, metrics, rollups
from tallymark.export.formats import WRITERS
from tallymark.export.source import Content, Source
from tallymark.spec.catalog import Catalog
from tallymark.spec.export import Order, What
from tallymark.spec.project import Project

#: Told after every page: rows written, rows expected. What it raises ends the export.
Report = Callable[[int, int], None]

_CONTENTS: Final = {What.EVENTS: events, What.ROLLUPS: rollups, What.METRICS: metrics}


def check(order: Order, project: Project, catalog: Catalog) -> None:
    """Raises `BadQuery` for an order that can't be fulfilled, without a look at any data."""
    _CONTENTS[order.what].check(order, project, catalog.only(project.packs))


def write(order: Order, project: Project, source: Source, sink: BinaryIO, report: Report) -> int:
    """Writes the file; gives its number of rows. `sink` stays open.

    Errors: `BadQuery`, before anything is written; `Conflict` where numbers were published anew meanwhile, so that
    another try is needed; what `report` raises.
    """
    check(order, project, source.answerer.catalog)
    content = _CONTENTS[order.what].content(order, project, source)
    counted = _Counted(content, report)
    WRITERS[order.format](content.columns, counted.pages(), sink, source.scratch)
    return counted.rows


@dataclass
class _Counted:
    """The pages of a content, each reported once it is written."""

    content: Content
    report: Report
    rows: int = 0

    def pages(self) -> Iterator[pa.Table]:
        """The pages."""
        for page in self.content.pages:
            yield page
            self.rows += page.num_rows
            self.report(self.rows, max(self.rows, self.content.expected))
