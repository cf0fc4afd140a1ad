"""Answers about behaviour as they are told: JSON bodies, without their freshness."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from tallymark.answer.behaviour.activity import Reading, Standing
from tallymark.answer.behaviour.funnel import FunnelAnswer, Reached
from tallymark.answer.behaviour.journeys import Counted, JourneyAnswer
from tallymark.answer.behaviour.lifecycle import LifecycleAnswer
from tallymark.answer.behaviour.retention import Cohorts, RetentionAnswer
from tallymark.answer.behaviour.stickiness import MONTH, WEEK, Recent, StickinessAnswer
from tallymark.spec.behaviour import FunnelQuery, JourneyQuery, RetentionQuery
from tallymark.spec.funnel_draft import public_funnel
from tallymark.spec.periods import periods_of
from tallymark.spec.window import Window

_DIGITS = 6


def window_body(window: Window, period: bool = False) -> dict[str, str]:
    """A window; with its `period` where it is one of periods."""
    days = {"from": window.first.isoformat(), "to": window.last.isoformat(), "timezone": window.timezone}
    return {**days, "period": str(window.grain)} if period else days


def plan_body(reading: Reading, explain: bool) -> dict[str, Any]:
    """Where an answer comes from, for who asks."""
    return {"plan": reading.body()} if explain else {}


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return round(part / whole, _DIGITS) if whole else None


def tell_funnel(query: FunnelQuery, answer: FunnelAnswer, now: datetime) -> dict[str, Any]:
    """A funnel's steps, of everybody and of each group."""
    closes = query.window.end + timedelta(seconds=query.funnel.within)
    names = [step.name for step in query.funnel.steps]
    body: dict[str, Any] = {
        "funnel": public_funnel(query.funnel),
        "window": window_body(query.window),
        "complete": closes <= now,
        **_reached(answer.overall, names),
    }
    if query.experiment is not None:
        body |= {"experiment": query.experiment, "unitsOfSeveralVariants": answer.of_several}
    by = "variant" if query.experiment is not None else query.by
    if by is not None:
        body |= {"by": by, "groups": [{"key": group.key, **_reached(group, names)} for group in answer.groups]}
    return body


def _reached(reached: Reached, names: list[str]) -> dict[str, Any]:
    """Everything of a group: `overall` is from the first step to the last."""
    first, last, whole = reached.actors[0], reached.actors[-1], reached.taking[-1]
    return {
        "overall": {
            "entered": first, "completed": last, "conversion": share(last, first),
            "medianSeconds": whole.median, "p90Seconds": whole.p90,
        },
        "steps": list(_steps(reached, names)),
    }  # fmt: skip


def _steps(reached: Reached, names: list[str]) -> Iterator[dict[str, Any]]:
    for place, (name, actors) in enumerate(zip(names, reached.actors, strict=True)):
        before = reached.actors[place - 1] if place else None
        taking = reached.taking[place - 1] if place else None
        yield {
            "name": name,
            "actors": actors,
            "conversion": share(actors, reached.actors[0]),
            "stepConversion": None if before is None else share(actors, before),
            "dropped": None if before is None else before - actors,
            "medianSeconds": taking.median if taking else None,
            "p90Seconds": taking.p90 if taking else None,
        }


def tell_retention(query: RetentionQuery, answer: RetentionAnswer, standing: Standing) -> dict[str, Any]:
    """Cohorts with their later periods, and all of them together."""
    tables = [_table(query, answer, cohorts, standing) for cohorts in answer.groups]
    head = {"window": window_body(query.window, period=True), "periods": query.periods}
    if query.by is None:
        return {**head, **tables[0]}
    groups = [{"key": cohorts.key, **table} for cohorts, table in zip(answer.groups, tables, strict=True)]
    return {**head, "by": query.by, "groups": groups, "groupsLeftOut": answer.keys - len(groups)}


def _table(query: RetentionQuery, answer: RetentionAnswer, cohorts: Cohorts, standing: Standing) -> dict[str, Any]:
    periods = answer.periods
    places = [place for place, first in enumerate(periods.firsts) if first <= query.window.last]
    rows = [_cohort(query, answer, cohorts, place, standing) for place in places]
    return {"cohorts": rows, "overall": [_together(rows, after) for after in range(query.periods + 1)]}


def _cohort(
    query: RetentionQuery, answer: RetentionAnswer, cohorts: Cohorts, place: int, standing: Standing
) -> dict[str, Any]:
    """A cohort and its later periods: no share where one can't be told in full, no number before it begins."""
    periods, size, known = answer.periods, cohorts.sizes.get(place, 0), _known(query, answer, place, standing)
    later = []
    for after in range(query.periods + 1):
        begun, returned = place + after < len(periods.firsts), cohorts.returned.get((place, after), 0)
        whole = known and begun and standing.whole(periods, place + after)
        told = returned if begun else None
        later.append(
            {"period": after, "actors": told, "share": share(returned, size) if whole else None, "complete": whole}
        )
    complete = known and periods.over(place, standing.now)
    return {"t": periods.firsts[place].isoformat(), "actors": size, "complete": complete, "periods": later}


def _known(query: RetentionQuery, answer: RetentionAnswer, place: int, standing: Standing) -> bool:
    """Whether all of a cohort are known: when actors were first seen is, also where their events are gone."""
    if query.cohort is None and query.by is None and not query.filter.groups:
        return True
    first = place if query.cohort is None else 0  # whoever did it before is in no later cohort
    return not any(standing.lost.intersection(answer.periods.days(each)) for each in range(first, place + 1))


def _together(rows: list[dict[str, Any]], after: int) -> dict[str, Any]:
    """The cohorts whose period is over, as one."""
    over = [row for row in rows if row["periods"][after]["complete"]]
    returned = sum(row["periods"][after]["actors"] for row in over)
    begun = sum(row["actors"] for row in over)
    return {"period": after, "actors": returned, "of": begun, "share": share(returned, begun)}


def tell_lifecycle(window: Window, answer: LifecycleAnswer, standing: Standing) -> dict[str, Any]:
    """Each period's actors; who is dormant is known once a period is over."""
    complete = [_compared(window, first, standing) for first in answer.periods.firsts]
    return {
        "window": window_body(window, period=True),
        "series": [
            {
                "t": first.isoformat(),
                "complete": complete[place],
                "actors": turnover.new + turnover.returning + turnover.resurrecting,
                "new": turnover.new,
                "returning": turnover.returning,
                "resurrecting": turnover.resurrecting,
                "dormant": turnover.dormant if complete[place] else None,
            }
            for place, (first, turnover) in enumerate(zip(answer.periods.firsts, answer.turnover, strict=True))
        ],
    }


def _compared(window: Window, first: date, standing: Standing) -> bool:
    """Whether a period, by its first day, can be told in full beside the one before."""
    both = periods_of(replace(window, first=first, last=first), before=1)
    return standing.whole(both, len(both.firsts) - 1) and not standing.lost.intersection(both.days(0))


def tell_stickiness(window: Window, answer: StickinessAnswer, standing: Standing) -> dict[str, Any]:
    """Each period's actors by the number of days, all periods together, and the last days' ratios."""
    rows = [_stuck(answer, place, standing) for place in range(len(answer.periods.firsts))]
    longest = max((answer.periods.length(place) for place in range(len(rows))), default=0)
    over = [days for row, days in zip(rows, answer.days, strict=True) if row["complete"]]
    overall = {number: sum(days.get(number, 0) for days in over) for number in range(1, longest + 1)}
    total = sum(overall.values())
    return {
        "window": window_body(window, period=True),
        "series": rows,
        "overall": [{"days": n, "actors": actors, "share": share(actors, total)} for n, actors in overall.items()],
        "recent": _recent(answer.recent),
    }


def _stuck(answer: StickinessAnswer, place: int, standing: Standing) -> dict[str, Any]:
    days, length = answer.days[place], answer.periods.length(place)
    actors, active = sum(days.values()), sum(number * count for number, count in days.items())
    whole = standing.whole(answer.periods, place)
    return {
        "t": answer.periods.firsts[place].isoformat(),
        "complete": whole,
        "actors": actors,
        "perDay": round(active / length, _DIGITS) if whole else None,
        "stickiness": share(active, actors * length) if whole else None,
        "days": [{"days": number, "actors": days.get(number, 0)} for number in range(1, length + 1)],
    }


def _recent(recent: Recent) -> dict[str, Any]:
    return {
        "day": recent.day.isoformat(),
        "dau": recent.daily,
        "wau": recent.weekly,
        "mau": recent.monthly,
        "wauDays": WEEK,
        "mauDays": MONTH,
        "dauWau": share(recent.daily, recent.weekly),
        "dauMau": share(recent.daily, recent.monthly),
        "wauMau": share(recent.weekly, recent.monthly),
    }


def tell_journeys(query: JourneyQuery, answer: JourneyAnswer) -> dict[str, Any]:
    """The most taken ways, and the steps of all ways."""
    sessions = answer.overall.sessions
    return {
        "window": window_body(query.window),
        "node": str(query.node),
        "start": query.start,
        "end": query.end,
        "depth": query.depth,
        **_counted(answer.overall),
        "paths": [
            {"path": list(path.nodes), **_counted(path.counted), "share": share(path.counted.sessions, sessions)}
            for path in answer.paths
        ],
        "edges": [
            {"position": edge.position, "from": edge.source, "to": edge.target, "n": edge.counted.sessions,
             "actors": edge.counted.actors}
            for edge in answer.edges
        ],
    }  # fmt: skip


def _counted(counted: Counted) -> dict[str, int]:
    return {"actors": counted.actors, "sessions": counted.sessions}
