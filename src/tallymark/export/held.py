"""The published runs that an export reads from: the same ones from its first page to its last."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from tallymark.answer.run import Runs, near
from tallymark.engine.base import Engine
from tallymark.errors import Conflict
from tallymark.export.source import Source
from tallymark.spec.project import Project
from tallymark.spec.window import Window

_OF_RUNS: Final = "project = {project:UInt32} AND run IN {runs:Array(UInt64)}"

_COUNT: Final = " + ".join(f"(SELECT count() FROM {table} WHERE {_OF_RUNS})" for table in ("rollups", "sessions"))


@dataclass(frozen=True)
class Held:
    """Published runs, and how many rows they have: rows of superseded runs are removed sooner or later."""

    engine: Engine
    project: int
    runs: Runs
    rows: int

    @classmethod
    def of(cls, source: Source, project: Project, window: Window, margin: timedelta) -> Self:
        """The runs that are published now, of a window and as many days around it."""
        runs = near(source.answerer.runs(project), window, margin)
        return cls(source.engine, project.id, runs, _rows(source.engine, project.id, runs))

    def check(self) -> None:
        """Raises `Conflict` where rows have been removed, so that what was read may lack them."""
        if _rows(self.engine, self.project, self.runs) != self.rows:
            raise Conflict("Numbers were published anew while they were exported: export them again.")


def _rows(engine: Engine, project: int, runs: Runs) -> int:
    ((rows,),) = engine.query(f"SELECT {_COUNT}", {"project": project, "runs": [*runs.values()]})
    return int(rows)
