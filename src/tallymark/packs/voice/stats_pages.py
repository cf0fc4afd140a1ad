"""What each page of `/voice/stats` shows: metrics in total, with their course, and by some dimensions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tallymark.packs.voice.metrics import ERROR, INTENT, LANGUAGE, LEVELS, MODEL, STAGES, STATE, STORE
from tallymark.spec.evaluation import SCORES


@dataclass(frozen=True)
class Page:
    """A page: its metrics, and for each dimension those of its keys, whose order is that of the first."""

    name: str
    title: str
    metrics: tuple[str, ...]
    breakdowns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_QUALITY: Final = (
    "voice_evaluations",
    *(f"voice_{'quality' if name == 'overall' else name}" for name in SCORES),
    "voice_poor_share",
)
_OF_A_KEY: Final = (
    "voice_exchanges", "voice_success_rate", "voice_fallback_rate", "voice_error_rate", "voice_abandonment_rate",
    "voice_confidence", "voice_total_p50", "voice_total_p95", "voice_quality",
)  # fmt: skip
_COSTS: Final = (
    "voice_tokens", "voice_prompt_tokens", "voice_completion_tokens", "voice_cost", "voice_cost_per_exchange",
    "voice_tokens_per_exchange",
)  # fmt: skip
_FAILED: Final = ("voice_errors", "voice_error_rate", "voice_fallback_rate", "voice_unanswered")
_SLOW: Final = ("voice_exchanges", *(f"voice_total_p{level}" for level in LEVELS))

QUALITY: Final = Page(
    "quality",
    "How good answers are",
    _QUALITY,
    {dimension: _QUALITY for dimension in (INTENT, STORE, MODEL, LANGUAGE)},
)

SUMMARY: Final = Page(
    "summary",
    "A voice assistant's numbers",
    (
        "voice_queries", "voice_outcomes", "voice_exchanges", "voice_users", "voice_success_rate",
        "voice_fallback_rate", "voice_error_rate", "voice_abandonment_rate", "voice_unanswered", "voice_unasked",
        "voice_confidence", "voice_word_error_rate", "voice_total_p50", "voice_total_p95", "voice_evaluations",
        "voice_quality", "voice_poor_share", "voice_tokens", "voice_cost", "voice_judge_cost",
    ),
)  # fmt: skip

QUERIES: Final = Page(
    "queries",
    "How many queries, of whom and when",
    ("voice_queries", "voice_users", "voice_exchanges", "voice_abandonment_rate", "voice_word_error_rate"),
    {
        STORE: ("voice_queries", "voice_users"),
        LANGUAGE: ("voice_queries", "voice_users"),
        STATE: ("voice_exchanges",),
    },
)

INTENTS: Final = Page("intents", "Numbers by intent", ("voice_exchanges", "voice_success_rate"), {INTENT: _OF_A_KEY})
STORES: Final = Page("stores", "Numbers by store", ("voice_exchanges", "voice_success_rate"), {STORE: _OF_A_KEY})

LATENCY: Final = Page(
    "latency",
    "How long each stage takes",
    tuple(f"voice_{stage}_p{level}" for stage in STAGES for level in LEVELS),
    {dimension: _SLOW for dimension in (INTENT, STORE, MODEL)},
)

FAILURES: Final = Page(
    "failures",
    "What goes wrong",
    (*_FAILED, "voice_abandonment_rate", "voice_unasked", "voice_success_rate"),
    {ERROR: ("voice_errors",), INTENT: _FAILED, STORE: _FAILED},
)

COST: Final = Page(
    "cost",
    "What answers and their evaluation cost",
    (*_COSTS, "voice_evaluations", "voice_judge_tokens", "voice_judge_cost"),
    {MODEL: _COSTS, STORE: _COSTS, INTENT: _COSTS},
)

PAGES: Final = (SUMMARY, QUERIES, INTENTS, STORES, LATENCY, QUALITY, FAILURES, COST)
