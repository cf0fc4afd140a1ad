"""Texts behind the numbers: the worst answers, what failed, what is asked most. All of raw events, while they last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tallymark.answer.cells import dimension_condition
from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql, number_of, text_of
from tallymark.engine.source import events_between, span
from tallymark.packs.voice import names
from tallymark.packs.voice.metrics import DIMENSIONS
from tallymark.spec.condition import Comparison, Condition, Op, Prop, event, flag, human
from tallymark.spec.evaluation import SCORES
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.query import Filter
from tallymark.spec.window import Window

_DIMENSIONS: Final = {dimension.name: dimension for dimension in DIMENSIONS}

#: Of an exchange, as JSON.
_TOLD: Final = (
    names.QUERY_ID, names.STORE, names.TRANSCRIPT, names.INTENT, names.CONFIDENCE, names.RESPONSE, names.SUCCESS,
    names.ERROR, names.LANGUAGE, names.MODEL, names.TOTAL, names.STATE,
)  # fmt: skip

_FAILED: Final = (
    Comparison(Prop(names.ERROR), Op.IS_NOT, ("",))
    | Comparison(Prop(names.SUCCESS), Op.IS, ("false",))
    | Comparison(Prop(names.STATE), Op.IS, (names.UNANSWERED,))
    | flag(names.FALLBACK)
)


@dataclass(frozen=True)
class Examples:
    """Reads texts of a project's window, as far as a filter lets them pass."""

    engine: Engine
    project: Project
    window: Window
    filter: Filter
    limit: int

    def worst(self) -> list[dict[str, Any]]:
        """The evaluations with the lowest overall scores, the latest first among equals, each with its exchange."""
        overall = number_of(Prop("overall"))
        rows = self._read(
            f"SELECT {text_of(Prop(names.EXCHANGE_ID))}, toJSONString(props) FROM {events_between()} "
            f"WHERE {self._where(event(names.EVALUATED))} AND isNotNull({overall}) "
            f"ORDER BY {overall}, occurred_at DESC, event_id LIMIT {{limit:UInt32}}"
        )
        exchanges = self._exchanges([identity for identity, _ in rows])
        return [
            {**exchanges.get(identity, {"exchangeId": identity}), "evaluation": evaluation(props)}
            for identity, props in rows
        ]

    def failed(self) -> list[dict[str, Any]]:
        """The latest exchanges that failed, or that nobody answered."""
        rows = self._read(
            f"SELECT lower(hex(event_id)), occurred_at, toJSONString(props) FROM {events_between()} "
            f"WHERE {self._where(event(names.EXCHANGE) & _FAILED)} "
            "ORDER BY occurred_at DESC, event_id LIMIT {limit:UInt32}"
        )
        return [_exchange(*row) for row in rows]

    def frequent(self) -> list[dict[str, Any]]:
        """What is asked most, with how often and by how many users; upper and lower case are one."""
        text = f"lowerUTF8(trimBoth({text_of(Prop(names.TRANSCRIPT))}))"
        rows = self._read(
            f"SELECT {text} AS asked, count() AS n, uniqExactIf(actor, actor != 0) FROM {events_between()} "
            f"WHERE {self._where(event(names.QUERY))} AND asked != '' "
            "GROUP BY asked ORDER BY n DESC, asked LIMIT {limit:UInt32}"
        )
        return [{"transcript": asked, "queries": n, "users": users} for asked, n, users in rows]

    def _where(self, condition: Condition) -> str:
        return condition_sql(condition & human() & dimension_condition(self.filter, _DIMENSIONS, Rows.EVENTS))

    def _exchanges(self, identities: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = self._read(
            f"SELECT lower(hex(event_id)) AS identity, occurred_at, toJSONString(props) FROM {events_between()} "
            f"WHERE {condition_sql(event(names.EXCHANGE) & human())} AND identity IN {{identities:Array(String)}}",
            identities=list(identities),
        )
        return {row[0]: _exchange(*row) for row in rows}

    def _read(self, sql: str, **more: object) -> Sequence[Sequence[Any]]:
        bounds = span(self.project.id, self.window.start, self.window.end)
        return self.engine.query(sql, {**bounds, "limit": self.limit, **more})


def _exchange(identity: str, at: Any, props: str) -> dict[str, Any]:
    said = _object(props)
    at_text = at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    return {"exchangeId": identity, "at": at_text, **{name: said[name] for name in _TOLD if name in said}}


def evaluation(props: str) -> dict[str, Any]:
    """What a judge said, of the properties of its event as JSON."""
    said = _object(props)
    kept = (names.EVALUATOR, names.JUDGE, *SCORES, names.RATIONALE, names.LABELS)
    return {name: said[name] for name in kept if name in said}


def _object(props: str) -> Mapping[str, Any]:
    said: Mapping[str, Any] = msgspec.json.decode(props)
    return said
