"""Funnels by the day that actors enter on, for tables that keep them."""

from collections.abc import Sequence
from datetime import date, timedelta

from tallymark.answer.behaviour.funnel_sql import (
    entered_by_day,
    entering,
    exposed_units,
    funnel_params,
    step_events,
    walked,
)
from tallymark.engine.base import Params
from tallymark.engine.expression import literal
from tallymark.spec.condition import ALWAYS
from tallymark.spec.funnel import Funnel
from tallymark.spec.project import Project
from tallymark.spec.window import Window, midnight


def daily_funnel(funnel: Funnel, experiment: str | None = None) -> str:
    """A SELECT of rows `(day Date, variant String, step UInt8, name String, actors UInt64)`.

    An actor enters a day with their first event of step 1 on that day; each step counts those who reached it at most
    `within` after that. Every day that somebody enters has a row for each step, counted from 1. With an experiment the
    rows are by its variants: units of several are left out, and nothing counts before a unit's first exposure. Else
    `variant` is ''. What it binds comes from `daily_params`.
    """
    steps = len(funnel.steps)
    exposed = "" if experiment is None else exposed_units(experiment)
    events = step_events(funnel, "variant" if exposed else "''", exposed)
    entries = entered_by_day(events, entering(ALWAYS), _DAY, steps)
    counts = ", ".join(f"countIf(n{i} > 0) AS c{i}" for i in range(steps))
    by_day = f"SELECT day, key, {counts} FROM {walked(entries, steps, funnel.within, ['day', 'key'])} GROUP BY day, key"
    return (
        "SELECT day, key AS variant, toUInt8(reached.1) AS step, reached.2 AS name, toUInt64(reached.3) AS actors "
        f"FROM ({by_day}) ARRAY JOIN [{_rows(funnel)}] AS reached ORDER BY day, variant, step"
    )


def _rows(funnel: Funnel) -> str:
    return ", ".join(f"({i + 1}, {literal(step.name)}, c{i})" for i, step in enumerate(funnel.steps))


#: The day, in the project's zone, that an event happened on; what is beyond the days counts to the last one.
_DAY = (
    "{days:Array(Date)}[indexOf({starts:Array(Int64)}, "
    "roundDown(toInt64(toUnixTimestamp(occurred_at)), {starts:Array(Int64)}))]"
)


def daily_params(project: Project, first: date, last: date, within: int) -> Params:
    """The parameters of `daily_funnel` for the days `first` to `last`, both included, in the project's zone."""
    days: Sequence[date] = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    starts = [int(midnight(day, project.timezone).timestamp()) for day in days]
    window = Window(first, last, project.timezone)
    return {**funnel_params(project.id, window, within), "days": days, "starts": starts}
