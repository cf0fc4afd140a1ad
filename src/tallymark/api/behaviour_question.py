"""Query parameters as questions about behaviour; every mistake is told with what is allowed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from tallymark.api.question import ENDS, Parameters, check_names, filter_of, flag, one, window_of, zone_of
from tallymark.errors import BadQuery, BadRequest
from tallymark.spec.behaviour import ActivityQuery, FunnelQuery, JourneyQuery, Node, RetentionQuery
from tallymark.spec.condition import ALWAYS, Condition
from tallymark.spec.declared_funnels import named
from tallymark.spec.funnel import Funnel
from tallymark.spec.funnel_draft import read_steps, read_within
from tallymark.spec.periods import periods_of, whole
from tallymark.spec.selection import read_text, selection
from tallymark.spec.window import Grain, Window

_WINDOW: Final = ("from", "to", "timezone")
FUNNEL: Final = ("project", "name", "step", "within", *_WINDOW, "filter", "segment", "by", "experiment", "limit")
LEFT: Final = ("project", "name", "step", "within", *_WINDOW, "filter", "segment", "dropoff", "limit", "after")
RETENTION: Final = ("project", *_WINDOW, "period", "periods", "cohort", "returning", "by", "filter", "segment", "limit",
                    "exact", "explain")  # fmt: skip
LIFECYCLE: Final = ("project", *_WINDOW, "period", "event", "filter", "segment", "exact", "explain")
STICKINESS: Final = ("project", *_WINDOW, "period", "within", "event", "filter", "segment", "exact", "explain")
JOURNEYS: Final = ("project", *_WINDOW, "node", "start", "end", "depth", "filter", "segment", "limit")

_PERIODS: Final = (Grain.DAY, Grain.WEEK, Grain.MONTH)
#: How many periods after its own a cohort is looked at unless it is said.
_LATER: Final = {Grain.DAY: 7, Grain.WEEK: 8, Grain.MONTH: 6}
_MOST_LATER: Final = 366
#: Cells of a table of cohorts, and periods of a series, that are told at most.
_MOST_CELLS: Final = 20_000
_MOST_PERIODS: Final = 1_000

#: What `by` is called that breaks down by an experiment's variants.
VARIANT: Final = "variant"


def funnel_question(
    given: Parameters, timezone: str, now: datetime, funnels: dict[str, Funnel], names: Sequence[str] = FUNNEL
) -> FunnelQuery:
    """The funnel of a project in `timezone` that is asked for at `now`. Errors: `BadQuery`."""
    check_names(given, names)
    experiment, by = one(given, "experiment") or None, one(given, "by") or None
    if experiment is not None and by != VARIANT:
        raise BadQuery(f"An experiment is for by={VARIANT}.", field="by", allowed=[VARIANT])
    return FunnelQuery(
        funnel=_funnel(given, funnels),
        window=_window(given, timezone, now),
        filter=filter_of(given.get("filter", ())),
        by=None if experiment is not None else by,
        experiment=experiment,
        limit=whole_number(given, "limit", 20, 1, 1_000),
    )


def _funnel(given: Parameters, funnels: dict[str, Funnel]) -> Funnel:
    """The funnel that is named, or that the steps make up."""
    name, steps, within = one(given, "name") or None, given.get("step", ()), one(given, "within")
    with told_as_query():
        if name is not None and steps:
            raise BadQuery("A funnel has a name, or steps; one of them is allowed.", field="step")
        if name is None and not steps:
            raise BadQuery(
                "Say which funnel: name=NAME, or step=EVENT twice and more.", field="name", allowed=sorted(funnels)
            )
        if name is None:
            said = [read_text(step, "step") for step in steps]
            return Funnel("", "", read_steps(said, "step"), read_within(within or None))
        known = named(name, funnels)
        return replace(known, within=read_within(within)) if within else known


def left_at(given: Parameters, funnel: Funnel) -> int:
    """Which step, counted from 0, was not reached: by its name or its number. Errors: `BadQuery`."""
    text = one(given, "dropoff") or ""
    names = [step.name for step in funnel.steps]
    place = names.index(text) if text in names else -1
    if place < 0 and text.isascii() and text.isdigit() and len(text) <= 3:
        place = int(text) - 1
    if not 1 <= place < len(names):
        raise BadQuery(f"dropoff is a step after the first, not {text[:80]!r}.", field="dropoff", allowed=names[1:])
    return place


def retention_question(given: Parameters, timezone: str, now: datetime) -> RetentionQuery:
    """The cohorts that are asked for. Errors: `BadQuery`."""
    check_names(given, RETENTION)
    window = whole_window(given, timezone, now, Grain.WEEK)
    cohort, returning = one(given, "cohort"), one(given, "returning")
    asked = RetentionQuery(
        window=window,
        periods=later_periods(given, window),
        cohort=None if cohort in (None, "", "first") else _selection(cohort, "cohort"),
        returning=None if returning in (None, "", "any") else _selection(returning, "returning"),
        filter=filter_of(given.get("filter", ())),
        by=one(given, "by") or None,
        limit=whole_number(given, "limit", 10, 1, 100),
        exact=flag(given, "exact"),
    )
    return asked


def later_periods(given: Parameters, window: Window) -> int:
    """How many periods after its own a cohort of the window is looked at. Errors: `BadQuery`."""
    periods = whole_number(given, "periods", _LATER[window.grain], 1, _MOST_LATER)
    cells = len(periods_of(window).firsts) * (periods + 1)
    if cells > _MOST_CELLS:
        raise BadQuery(f"That are {cells} numbers; {_MOST_CELLS} are allowed: ask for fewer periods.", field="periods")
    return periods


def lifecycle_question(given: Parameters, timezone: str, now: datetime) -> ActivityQuery:
    """The periods whose actors are asked for. Errors: `BadQuery`."""
    check_names(given, LIFECYCLE)
    return _activity(given, whole_window(given, timezone, now, Grain.DAY))


def stickiness_question(given: Parameters, timezone: str, now: datetime) -> ActivityQuery:
    """The weeks or months whose days are asked for. Errors: `BadQuery`."""
    check_names(given, STICKINESS)
    _word(given, "period", (Grain.DAY,), Grain.DAY)
    within = _word(given, "within", (Grain.WEEK, Grain.MONTH), Grain.WEEK)
    return _activity(given, whole(replace(_window(given, timezone, now), grain=within)))


def _activity(given: Parameters, window: Window) -> ActivityQuery:
    if len(periods_of(window).firsts) > _MOST_PERIODS:
        raise BadQuery(f"At most {_MOST_PERIODS} periods are allowed.", field="from")
    event = one(given, "event") or None
    return ActivityQuery(
        window=window,
        event=None if event is None else _selection(event, "event"),
        filter=filter_of(given.get("filter", ())),
        exact=flag(given, "exact"),
    )


def journey_question(given: Parameters, timezone: str, now: datetime) -> JourneyQuery:
    """The ways that are asked for. Errors: `BadQuery`."""
    check_names(given, JOURNEYS)
    node, start, end = one(given, "node") or Node.EVENT, one(given, "start") or None, one(given, "end") or None
    if node not in list(Node):
        raise BadQuery(f"There is no node {node[:80]!r}.", field="node", allowed=[str(known) for known in Node])
    if start is not None and end is not None:
        raise BadQuery("A journey has a start or an end; one of them is allowed.", field="end")
    return JourneyQuery(
        window=_window(given, timezone, now),
        node=Node(node),
        start=start,
        end=end,
        depth=whole_number(given, "depth", 5, 2, 10),
        filter=filter_of(given.get("filter", ())),
        limit=whole_number(given, "limit", 20, 1, 200),
    )


def whole_number(given: Parameters, name: str, default: int, least: int, most: int) -> int:
    """A parameter that is a number in a range. Errors: `BadQuery`."""
    text = one(given, name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or not least <= int(text) <= most:
        raise BadQuery(f"{name} must be a whole number from {least} to {most}.", field=name)
    return int(text)


@contextmanager
def told_as_query() -> Iterator[None]:
    """Tells mistakes of selections and funnels as those of a question."""
    try:
        yield
    except BadQuery:
        raise
    except BadRequest as error:
        raise BadQuery(error.message, field=error.field, allowed=error.allowed) from None


def _selection(text: str | None, field: str) -> Condition:
    with told_as_query():
        condition = selection(read_text(text or "", field), field)
    if condition == ALWAYS:
        raise BadQuery(f"{field} says no event.", field=field)
    return condition


def _window(given: Parameters, timezone: str, now: datetime, ends: tuple[str, str] = ENDS) -> Window:
    return window_of(given, zone_of(given, timezone), now, ends)


def whole_window(
    given: Parameters, timezone: str, now: datetime, default: Grain, ends: tuple[str, str] = ENDS
) -> Window:
    """The window, from the beginning of its first period to the end of its last one. Errors: `BadQuery`."""
    grain = _word(given, "period", _PERIODS, default)
    return whole(replace(_window(given, timezone, now, ends), grain=grain))


def _word(given: Parameters, name: str, words: Sequence[Grain], default: Grain) -> Grain:
    text = one(given, name) or default
    if text not in words:
        raise BadQuery(f"{name} can't be {text[:40]!r}.", field=name, allowed=[str(word) for word in words])
    return Grain(text)
