"""Events of voice assistants as rows: the views `voice_queries`, `voice_outcomes` and `voice_evaluations`.

Made of raw events, so they hold what a project keeps.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql, number_of, text_of
from tallymark.engine.source import span, utc
from tallymark.packs.day_columns import ALWAYS, with_packs
from tallymark.packs.voice import names
from tallymark.spec.condition import Prop, event
from tallymark.spec.evaluation import SCORES
from tallymark.spec.project import Project
from tallymark.spec.window import Window

_ONE_PROJECT: Final = "(SELECT {project:UInt32} AS project, {name:String} AS name)"
_ONE_WINDOW: Final = (
    "project = {project:UInt32} AND occurred_at >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') "
    "AND occurred_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)


def _texts(**columns: str) -> dict[str, str]:
    return {column: text_of(Prop(prop)) for column, prop in columns.items()}


def _numbers(**columns: str) -> dict[str, str]:
    return {column: number_of(Prop(prop)) for column, prop in columns.items()}


def _flag(prop: str) -> str:
    text = text_of(Prop(prop))
    return f"multiIf({text} = 'true', true, {text} = 'false', false, NULL)"


_IDS: Final = {"id": "lower(hex(event_id))", **_texts(query_id=names.QUERY_ID)}
_WHO: Final = {
    "session_id": "if(session = 0, '', lower(hex(session)))",
    "user_id": "if(actor = 0, '', lower(hex(actor)))",
    **_texts(store_id=names.STORE),
}
_LATENCIES: Final = _numbers(
    recognition_ms=names.RECOGNITION, understanding_ms=names.UNDERSTANDING, response_ms=names.ANSWERING,
    total_ms=names.TOTAL,
)  # fmt: skip
_WHEN: Final = {"created_at": "occurred_at"}

#: The columns of each view besides `project`, in order, and of which events it is.
_SHAPES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "voice_queries": (
        names.QUERY,
        {
            **_IDS, **_WHO, **_texts(transcript=names.TRANSCRIPT, intent=names.INTENT, language=names.LANGUAGE),
            **_numbers(confidence=names.CONFIDENCE, word_error_rate=names.WORD_ERRORS), **_LATENCIES, **_WHEN,
        },
    ),
    "voice_outcomes": (
        names.OUTCOME,
        {
            **_IDS, **_WHO, **_texts(intent=names.INTENT, response=names.RESPONSE, error=names.ERROR),
            "success": _flag(names.SUCCESS), **_texts(model=names.MODEL), **_LATENCIES,
            **_numbers(prompt_tokens=names.PROMPT_TOKENS, completion_tokens=names.COMPLETION_TOKENS,
                       tokens=names.TOKENS, cost_usd=names.COST), **_WHEN,
        },
    ),
    "voice_evaluations": (
        names.EVALUATED,
        {
            **_IDS, **_texts(exchange_id=names.EXCHANGE_ID, store_id=names.STORE, intent=names.INTENT,
                             evaluator=names.EVALUATOR, judge=names.JUDGE, judge_model=names.JUDGE_MODEL),
            **_numbers(**{score: score for score in SCORES}),
            **_texts(rationale=names.RATIONALE, labels=names.LABELS),
            **_numbers(judge_tokens=names.JUDGE_TOKENS, judge_cost_usd=names.JUDGE_COST), **_WHEN,
        },
    ),
}  # fmt: skip

#: The columns of each view, in order.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {view: ("project", *shape) for view, (_, shape) in _SHAPES.items()}


def _select(view: str, projects: str, where: str) -> str:
    name, shape = _SHAPES[view]
    columns = ", ".join(f"{sql} AS {column}" for column, sql in shape.items())
    return (
        f"SELECT p.name AS project, e.* EXCEPT (owner) FROM (SELECT project AS owner, {columns} FROM events FINAL "
        f"WHERE {where} AND {condition_sql(event(name))}) AS e INNER JOIN {projects} AS p ON p.project = e.owner"
    )


VIEWS: Final = {view: _select(view, with_packs(["voice"]), ALWAYS) for view in _SHAPES}


def rows(engine: Engine, project: Project, view: str, window: Window, limit: int) -> list[dict[str, Any]]:
    """The latest rows of a project in a window as a view has them, newest first."""
    columns = COLUMNS[view]
    found = engine.query(
        f"SELECT {', '.join(columns)} FROM ({_select(view, _ONE_PROJECT, _ONE_WINDOW)}) "
        "ORDER BY created_at DESC, id LIMIT {limit:UInt32}",
        {**span(project.id, window.start, window.end), "name": project.name, "limit": limit},
    )
    return [{column: _told(value) for column, value in zip(columns, row, strict=True)} for row in found]


def _told(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, datetime):
        return utc(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
