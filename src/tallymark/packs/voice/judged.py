"""What judges said of exchanges: by exchange, of two versions beside one another, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tallymark.answer.cells import dimension_condition
from tallymark.control.evaluation_rows import parts
from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql, literal, number_of, text_of
from tallymark.engine.source import events_between, span
from tallymark.packs.voice import names
from tallymark.packs.voice.cases import identity_of
from tallymark.packs.voice.examples import evaluation
from tallymark.packs.voice.metrics import DIMENSIONS
from tallymark.spec.condition import Comparison, Condition, Op, Prop, event, human
from tallymark.spec.evaluation import HIGHEST, LOWEST, SCORES
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.query import EVERYTHING, Filter
from tallymark.spec.window import Window

_JUDGED: Final = event(names.EVALUATED) & human()
_EXCHANGE: Final = text_of(Prop(names.EXCHANGE_ID))
_EVALUATOR: Final = text_of(Prop(names.EVALUATOR))
_DIMENSIONS: Final = {dimension.name: dimension for dimension in DIMENSIONS}

#: Whoever may send events may send what looks like an evaluation; of such a one only what is a score counts.
_SCORE: Final = f"score IN ({', '.join(map(str, range(LOWEST, HIGHEST + 1)))})"

#: Exchanges that one statement asks for.
_AT_ONCE: Final = 1_000

#: An evaluation lies where its exchange lay when it was judged; that may have moved since.
_REACH: Final = timedelta(days=1)


@dataclass(frozen=True)
class Judged:
    """Reads evaluations of a project."""

    engine: Engine
    project: Project

    def counts(self, window: Window) -> dict[str, int]:
        """How many evaluations of a window there are, by evaluator and version."""
        rows = self.engine.query(
            f"SELECT {_EVALUATOR} AS name, count() FROM {events_between()} WHERE {condition_sql(_JUDGED)} "
            "AND name != '' GROUP BY name",
            span(self.project.id, window.start, window.end),
        )
        return {name: int(count) for name, count in rows}

    def verdicts(
        self, evaluator: str, exchanges: Mapping[int, datetime], filter: Filter = EVERYTHING
    ) -> dict[int, dict[str, Any]]:
        """What a version said of these exchanges, by their ids, as far as a filter lets it pass."""
        where = condition_sql(of_evaluator(evaluator) & dimension_condition(filter, _DIMENSIONS, Rows.EVENTS))
        found: dict[int, dict[str, Any]] = {}
        for part in parts(exchanges.items(), _AT_ONCE):
            times, ids = [at for _, at in part], {identity_of(exchange): exchange for exchange, _ in part}
            rows = self.engine.query(
                f"SELECT {_EXCHANGE} AS exchange, toJSONString(props) FROM {events_between()} "
                f"WHERE {where} AND exchange IN {{identities:Array(String)}}",
                {**span(self.project.id, min(times) - _REACH, max(times) + _REACH), "identities": list(ids)},
            )
            found.update((ids[identity], evaluation(props)) for identity, props in rows)
        return found

    def tables(self, before: str, after: str, window: Window) -> dict[str, dict[tuple[int, int], int]]:
        """How many exchanges of a window got which score from the one version and which from the other, by score."""
        scores = ", ".join(f"({literal(name)}, {number_of(Prop(name))})" for name in SCORES)
        both = Comparison(Prop(names.EVALUATOR), Op.IS, (before, after))
        old, new = (f"evaluator = {literal(name)}" for name in (before, after))
        rows = self.engine.query(
            "SELECT name, old, new, count() FROM ("
            f"SELECT anyIf(score, {old}) AS old, anyIf(score, {new}) AS new, exchange, name FROM ("
            f"SELECT {_EXCHANGE} AS exchange, {_EVALUATOR} AS evaluator, arrayJoin([{scores}]) AS named, "
            f"named.1 AS name, named.2 AS score FROM {events_between()} WHERE {condition_sql(_JUDGED & both)}) "
            f"WHERE {_SCORE} GROUP BY exchange, name HAVING countIf({old}) > 0 AND countIf({new}) > 0) "
            "GROUP BY name, old, new",
            span(self.project.id, window.start, window.end),
        )
        found: dict[str, dict[tuple[int, int], int]] = {name: {} for name in SCORES}
        for name, one, other, count in rows:
            found[name][int(one), int(other)] = int(count)
        return found


def of_evaluator(evaluator: str) -> Condition:
    """The evaluations of a version."""
    return _JUDGED & Comparison(Prop(names.EVALUATOR), Op.IS, (evaluator,))
