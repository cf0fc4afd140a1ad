"""Days of funnels as they are kept: who entered on a day, and how far they came, by variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import days as day_params


@dataclass(frozen=True)
class FunnelDay:
    """A day of a funnel. `counts`: by variant, '' for everybody, how many actors reached each step.

    `definition` stands for the funnel, `version` for the events and experiments that the counts are made of.
    """

    funnel: str
    day: date
    definition: str
    version: int
    steps: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]

    @property
    def rows(self) -> int:
        """How many rows of `funnel_rollups` it makes."""
        return len(self.steps) * len(self.counts)


def kept(engine: Engine, project: int, first: date, last: date) -> list[FunnelDay]:
    """The days that a project's funnels have in a window, in order."""
    rows = engine.query(
        "SELECT funnel, day, definition, version, steps, variants, counts FROM funnel_days FINAL "
        "WHERE project = {project:UInt32} AND day >= {first:Date} AND day <= {last:Date} ORDER BY funnel, day",
        day_params(project, first, last),
    )
    return [
        FunnelDay(funnel, day, definition, version, tuple(steps), dict(zip(variants, map(tuple, counts), strict=True)))
        for funnel, day, definition, version, steps, variants, counts in rows
    ]


def keep(engine: Engine, project: int, days: Sequence[FunnelDay]) -> None:
    """Makes these the numbers of their days, in place of what was there."""
    table = pa.table(
        {
            "project": pa.array([project] * len(days), pa.uint32()),
            "funnel": pa.array([each.funnel for each in days]),
            "day": pa.array([each.day for each in days], pa.date32()),
            "definition": pa.array([each.definition for each in days]),
            "version": pa.array([each.version for each in days], pa.uint64()),
            "steps": pa.array([list(each.steps) for each in days], pa.list_(pa.string())),
            "variants": pa.array([list(each.counts) for each in days], pa.list_(pa.string())),
            "counts": pa.array(
                [[list(numbers) for numbers in each.counts.values()] for each in days], pa.list_(pa.list_(pa.uint64()))
            ),
        }
    )
    engine.insert("funnel_days", table)
