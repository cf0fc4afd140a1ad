"""Which exchanges an evaluator judges: those with an outcome that its filter and its share let pass.

The share is drawn by a hash of the exchange and the evaluator's key, so that all its versions judge the same ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tallymark.answer.cells import dimension_condition
from tallymark.api.question import filter_of
from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql, literal, text_of
from tallymark.engine.source import instant, milliseconds, utc
from tallymark.packs.core.metrics import PACK as CORE
from tallymark.packs.derived_sql import nth_insertion
from tallymark.packs.voice import names
from tallymark.packs.voice.cases import id_of
from tallymark.packs.voice.metrics import PACK
from tallymark.spec.condition import Comparison, Op, Prop, event, human
from tallymark.spec.evaluator import Evaluator
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.window import Window

#: An exchange: its id, and when it happened.
Drawn = tuple[int, datetime]

_DIMENSIONS: Final = {dimension.name: dimension for dimension in (*CORE.dimensions, *PACK.dimensions)}

#: Exchanges that are drawn from at a time, about.
_AT_ONCE: Final = 100_000

_PARTS: Final = 1_000_000

#: An evaluation lies where its exchange lay when it was judged; that may have moved since.
_REACH: Final = timedelta(days=1)

_RESULT: Final = event(names.EXCHANGE) & human() & Comparison(Prop(names.STATE), Op.IS, (names.ANSWERED, names.UNASKED))

_TEXT: Final = " + ".join(f"lengthUTF8({text_of(Prop(prop))})" for prop in (names.TRANSCRIPT, names.RESPONSE))

#: Judging goes through exchanges in order of insertion; what may become visible late is looked at again.
_INSERTED: Final = f"inserted_at > {instant('since')} AND inserted_at <= {instant('until')}"
_HAPPENED: Final = f"occurred_at >= {instant('since')} AND occurred_at < {instant('until')}"


@dataclass(frozen=True)
class Sampling:
    """Draws exchanges of a project."""

    engine: Engine
    project: Project

    def bounded(self, since: datetime, until: datetime) -> datetime:
        """An instant up to `until` that not too many exchanges were inserted before since the other."""
        params = {"project": self.project.id, "since": milliseconds(since), "n": _AT_ONCE}
        for (at,) in self.engine.query(nth_insertion([names.EXCHANGE]), params):
            return min(until, datetime.fromtimestamp(at / 1000, UTC))
        return until

    def inserted(self, evaluator: Evaluator, since: datetime, until: datetime) -> list[Drawn]:
        """Those that were written after `since` up to `until`, and that this version has not judged.

        What an archive brings back was judged when it was new.
        """
        drawn = self._drawn(evaluator, _INSERTED, since, until)
        judged = self._judged(evaluator, drawn) if drawn else frozenset()
        return [(exchange, at) for exchange, at in drawn if exchange not in judged]

    def happened(self, evaluator: Evaluator, window: Window) -> list[Drawn]:
        """Those of a window that this version has not judged."""
        return self._drawn(evaluator, f"{_HAPPENED} AND {_unjudged(evaluator)}", window.start, window.end)

    def characters(self, evaluator: Evaluator, window: Window) -> int:
        """How many characters the texts of these have, about which a judge is asked."""
        where = f"{_HAPPENED} AND {_unjudged(evaluator)}"
        sql = f"SELECT toUInt64(sum({_TEXT})) FROM {self._rows(evaluator, where)}"
        ((characters,),) = self.engine.query(sql, self._params(window.start, window.end))
        return int(characters)

    def _judged(self, evaluator: Evaluator, drawn: Sequence[Drawn]) -> frozenset[int | None]:
        """What this version has judged of about the times of these, which are in order of time."""
        params = self._params(drawn[0][1] - _REACH, drawn[-1][1] + _REACH)
        rows = self.engine.query(f"SELECT DISTINCT identity FROM ({_identities(evaluator)})", params)
        return frozenset(id_of(identity) for (identity,) in rows)

    def _drawn(self, evaluator: Evaluator, where: str, since: datetime, until: datetime) -> list[Drawn]:
        sql = f"SELECT event_id, occurred_at FROM {self._rows(evaluator, where)} ORDER BY occurred_at, event_id"
        return [(identity, utc(at)) for identity, at in self.engine.query(sql, self._params(since, until))]

    def _rows(self, evaluator: Evaluator, where: str) -> str:
        draft = evaluator.draft
        chosen = condition_sql(_RESULT & dimension_condition(filter_of(draft.filter), _DIMENSIONS, Rows.EVENTS))
        share = f"cityHash64(event_id, {literal(draft.key)}) % {_PARTS} < {round(draft.sample_rate * _PARTS)}"
        return f"(SELECT * FROM events FINAL WHERE project = {{project:UInt32}} AND {where} AND {chosen} AND {share})"

    def _params(self, since: datetime, until: datetime) -> dict[str, object]:
        return {"project": self.project.id, "since": milliseconds(since), "until": milliseconds(until)}


def _unjudged(evaluator: Evaluator) -> str:
    """That there is no evaluation of an exchange by this version."""
    return f"lower(hex(event_id)) NOT IN ({_identities(evaluator)})"


def _identities(evaluator: Evaluator) -> str:
    """The identities of exchanges that this version has judged."""
    return (
        f"SELECT {text_of(Prop(names.EXCHANGE_ID))} AS identity FROM events "
        f"WHERE project = {{project:UInt32}} AND event = {literal(names.EVALUATED)} AND {_HAPPENED} "
        f"AND {text_of(Prop(names.EVALUATOR))} = {literal(evaluator.name)}"
    )
