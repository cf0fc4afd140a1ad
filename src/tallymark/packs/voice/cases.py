"""Exchanges as judges see them, and what of them stands with an evaluation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql, text_of
from tallymark.engine.source import events_between, span, utc
from tallymark.packs.voice import names
from tallymark.spec.condition import Comparison, Op, Prop, event
from tallymark.spec.evaluation import Case

#: How far back the answer before in a session is looked for, and how far an exchange may have moved meanwhile.
_REACH: Final = timedelta(days=1)

#: Columns of an exchange that its evaluation has as well.
_COLUMNS: Final = ("actor", "session", "bot", "country", "device", "browser", "os")

#: Properties of an exchange that its evaluation has as well.
_KEPT: Final = (names.QUERY_ID, names.STORE, names.INTENT, names.LANGUAGE, names.MODEL)

_IDENTITY: Final = re.compile("[0-9a-f]{1,16}")

#: Exchanges with an outcome.
LIVE: Final = event(names.EXCHANGE) & Comparison(Prop(names.STATE), Op.IS, (names.ANSWERED, names.UNASKED))


@dataclass(frozen=True)
class Exchange:
    """An exchange: `identity` as answers have it, its columns by name, what it says."""

    id: int
    identity: str
    at: datetime
    columns: Mapping[str, Any]
    said: Mapping[str, Any]
    previous_response: str

    @property
    def case(self) -> Case:
        """What a judge is shown."""
        said = self.said
        return Case(
            transcript=_text(said, names.TRANSCRIPT),
            response=_text(said, names.RESPONSE),
            intent=_text(said, names.INTENT),
            language=_text(said, names.LANGUAGE),
            error=_text(said, names.ERROR),
            success=said.get(names.SUCCESS),
            confidence=_number(said, names.CONFIDENCE),
            total_ms=_number(said, names.TOTAL),
            previous_response=self.previous_response,
        )

    @property
    def kept(self) -> dict[str, Any]:
        """The properties that stand with an evaluation."""
        return {names.EXCHANGE_ID: self.identity, **{name: self.said[name] for name in _KEPT if name in self.said}}


def load(engine: Engine, project: int, wanted: Sequence[tuple[int, datetime]]) -> dict[int, Exchange]:
    """The exchanges with these ids and about these times, by id, that are there; each with the answer before it."""
    if not wanted:
        return {}
    times = [at for _, at in wanted]
    columns = ", ".join(_COLUMNS)
    live = f"(SELECT * FROM {events_between()} WHERE {condition_sql(LIVE)})"
    before = (
        f"lagInFrame({text_of(Prop(names.RESPONSE))}) OVER (PARTITION BY actor, session ORDER BY occurred_at, event_id "
        "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    )
    rows = engine.query(
        f"SELECT event_id, lower(hex(event_id)), occurred_at, previous, said, {columns} FROM "
        f"(SELECT *, if(session = 0, '', {before}) AS previous, toJSONString(props) AS said FROM {live} "
        f"WHERE event_id IN {{ids:Array(UInt64)}} OR session IN (SELECT session FROM {live} "
        "WHERE event_id IN {ids:Array(UInt64)} AND session != 0)) WHERE event_id IN {ids:Array(UInt64)}",
        {**span(project, min(times) - _REACH, max(times) + _REACH), "ids": [identity for identity, _ in wanted]},
    )
    return {
        row[0]: Exchange(
            row[0], row[1], utc(row[2]), dict(zip(_COLUMNS, row[5:], strict=True)), msgspec.json.decode(row[4]), row[3]
        )
        for row in rows
    }


def identity_of(exchange: int) -> str:
    """An exchange's id as answers have it, which is how the engine writes it: by whole bytes."""
    text = f"{exchange:x}"
    return text.zfill(len(text) + len(text) % 2)


def id_of(identity: str) -> int | None:
    """The id that answers write so; None for a text that is none."""
    return int(identity, 16) if _IDENTITY.fullmatch(identity) else None


def _text(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name, ""))


def _number(said: Mapping[str, Any], name: str) -> float | None:
    value = said.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
