"""Events of voice assistants as rows: the views `voice_queries`, `voice_outcomes` and `voice_evaluations`."""

from typing import Final

from tallymark.packs.event_rows import ID, WHEN, WHO, EventViews, flag, numbers, texts
from tallymark.packs.voice import names
from tallymark.spec.condition import event
from tallymark.spec.evaluation import SCORES

_IDS: Final = {**ID, **texts(query_id=names.QUERY_ID)}
_WHO: Final = {**WHO, **texts(store_id=names.STORE)}
_LATENCIES: Final = numbers(
    recognition_ms=names.RECOGNITION, understanding_ms=names.UNDERSTANDING, response_ms=names.ANSWERING,
    total_ms=names.TOTAL,
)  # fmt: skip

TABLES: Final = EventViews("voice", {
    "voice_queries": (
        event(names.QUERY),
        {
            **_IDS, **_WHO, **texts(transcript=names.TRANSCRIPT, intent=names.INTENT, language=names.LANGUAGE),
            **numbers(confidence=names.CONFIDENCE, word_error_rate=names.WORD_ERRORS), **_LATENCIES, **WHEN,
        },
    ),
    "voice_outcomes": (
        event(names.OUTCOME),
        {
            **_IDS, **_WHO, **texts(intent=names.INTENT, response=names.RESPONSE, error=names.ERROR),
            "success": flag(names.SUCCESS), **texts(model=names.MODEL), **_LATENCIES,
            **numbers(prompt_tokens=names.PROMPT_TOKENS, completion_tokens=names.COMPLETION_TOKENS,
                      tokens=names.TOKENS, cost_usd=names.COST), **WHEN,
        },
    ),
    "voice_evaluations": (
        event(names.EVALUATED),
        {
            **_IDS, **texts(exchange_id=names.EXCHANGE_ID, store_id=names.STORE, intent=names.INTENT,
                            evaluator=names.EVALUATOR, judge=names.JUDGE, judge_model=names.JUDGE_MODEL),
            **numbers(**{score: score for score in SCORES}),
            **texts(rationale=names.RATIONALE, labels=names.LABELS),
            **numbers(judge_tokens=names.JUDGE_TOKENS, judge_cost_usd=names.JUDGE_COST), **WHEN,
        },
    ),
})  # fmt: skip

COLUMNS: Final = TABLES.columns

VIEWS: Final = TABLES.statements
