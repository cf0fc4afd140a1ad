"""The voice pack's declarations: queries, what became of them, how long it took, how good it was and what it cost.

What needs both a query and its outcome is counted from exchanges, in which both are joined; quality from what judges
said. All of these are events.
"""

from collections.abc import Iterator
from typing import Final

from tallymark.packs.voice import names
from tallymark.packs.voice.board import BOARD
from tallymark.spec.condition import Comparison, Condition, Op, Prop, event, flag, human
from tallymark.spec.evaluation import LOWEST, SCORES
from tallymark.spec.funnel import Funnel, Step
from tallymark.spec.measure import Measure, actors, count, moments, quantiles, total
from tallymark.spec.metric import Dimension, Mean, Metric, Plain, Quantile, Ratio
from tallymark.spec.pack import Pack


def _is(prop: str, *values: str) -> Condition:
    return Comparison(Prop(prop), Op.IS, values)


_QUERY = event(names.QUERY) & human()
_OUTCOME = event(names.OUTCOME) & human()
_EXCHANGE = event(names.EXCHANGE) & human()
_UNANSWERED = _EXCHANGE & _is(names.STATE, names.UNANSWERED)
_ASKED = _EXCHANGE & _is(names.STATE, names.ANSWERED, names.UNANSWERED)
#: Exchanges with an outcome.
_RESULT = _EXCHANGE & _is(names.STATE, names.ANSWERED, names.UNASKED)
_SAID = _RESULT & _is(names.SUCCESS, "true", "false")
_FAILED = _RESULT & Comparison(Prop(names.ERROR), Op.IS_NOT, ("",))
_JUDGED = event(names.EVALUATED) & human()

#: A score up to this is a bad one.
POOR: Final = 2

OUTCOMES: Final = count(_RESULT)
EXCHANGES: Final = count(_EXCHANGE)
EVALUATIONS: Final = count(_JUDGED)

STAGES: Final = {
    "recognition": names.RECOGNITION,
    "understanding": names.UNDERSTANDING,
    "response": names.ANSWERING,
    "total": names.TOTAL,
}
LEVELS: Final = (50, 90, 95, 99)


def _latencies() -> Iterator[Metric]:
    for stage, prop in STAGES.items():
        spent = quantiles(Prop(prop), _EXCHANGE)
        for level in LEVELS:
            yield Metric(f"voice_{stage}_p{level}", f"{stage.capitalize()} latency, p{level}",
                         f"{level} of 100 exchanges took at most this for {_WORDS[stage]}.",
                         Quantile(level / 100, spent), unit="ms", good="down")  # fmt: skip


_WORDS = {
    "recognition": "recognising what was said",
    "understanding": "finding the intent",
    "response": "making the answer",
    "total": "everything",
}


def _scores() -> Iterator[Metric]:
    for name in SCORES:
        label = "Quality" if name == "overall" else name.capitalize()
        yield Metric(f"voice_{'quality' if name == 'overall' else name}", label,
                     f"Mean score for {name} that judges gave, from {LOWEST} to 5; by evaluator, of each version.",
                     Mean(moments(Prop(name), _JUDGED)), unit="number", good="up")  # fmt: skip


def _sum(prop: str, where: Condition) -> Measure:
    return total(Prop(prop), where)


METRICS = (
    Metric("voice_queries", "Queries", "Queries that were received.", Plain(count(_QUERY)), good="up"),
    Metric("voice_outcomes", "Outcomes", "Outcomes that were received.", Plain(count(_OUTCOME)), good="up"),
    Metric("voice_users", "Users", "Distinct users with a query or an outcome.",
           Plain(actors((event(names.QUERY, names.OUTCOME)) & human())), good="up"),
    Metric("voice_exchanges", "Exchanges",
           "Queries and outcomes joined by id; one without the other counts ten minutes after it came.",
           Plain(EXCHANGES), good="up"),
    Metric("voice_success_rate", "Success", "Outcomes that succeeded over outcomes that say whether they did.",
           Ratio(count(_SAID & flag(names.SUCCESS)), count(_SAID)), unit="share", good="up"),
    Metric("voice_results", "Outcomes with success or failure", "Outcomes that say whether they succeeded.",
           Plain(count(_SAID)), good="up"),
    Metric("voice_fallback_rate", "Fallbacks", "Exchanges with an outcome that nothing was understood of, over all.",
           Ratio(count(_RESULT & flag(names.FALLBACK)), OUTCOMES), unit="share", good="down"),
    Metric("voice_error_rate", "Errors", "Outcomes with an error over all.",
           Ratio(count(_FAILED), OUTCOMES), unit="share", good="down"),
    Metric("voice_errors", "Errors, number", "Outcomes with an error.", Plain(count(_FAILED)), good="down"),
    Metric("voice_abandonment_rate", "Abandonment",
           "Queries without an outcome ten minutes after they came, over these and those with one.",
           Ratio(count(_UNANSWERED), count(_ASKED)), unit="share", good="down"),
    Metric("voice_unanswered", "Unanswered", "Queries without an outcome ten minutes after they came.",
           Plain(count(_UNANSWERED)), good="down"),
    Metric("voice_unasked", "Without a query", "Outcomes whose query did not come in the ten minutes after them.",
           Plain(count(_EXCHANGE & _is(names.STATE, names.UNASKED))), good="down"),
    Metric("voice_confidence", "Confidence", "Mean confidence in the intent.",
           Mean(moments(Prop(names.CONFIDENCE), _EXCHANGE)), unit="number"),
    Metric("voice_calibrated_confidence", "Confidence where success is known",
           "Mean confidence of outcomes that say whether they succeeded: what calibration compares with success.",
           Mean(moments(Prop(names.CONFIDENCE), _SAID)), unit="number"),
    Metric("voice_word_error_rate", "Word errors", "Mean word error rate of the recognition.",
           Mean(moments(Prop(names.WORD_ERRORS), _EXCHANGE)), unit="number", good="down"),
    *_latencies(),
    Metric("voice_tokens", "Tokens", "Tokens that answers took.", Plain(_sum(names.TOKENS, _EXCHANGE)),
           unit="number", good="down"),
    Metric("voice_prompt_tokens", "Prompt tokens", "Tokens that models were given.",
           Plain(_sum(names.PROMPT_TOKENS, _EXCHANGE)), unit="number", good="down"),
    Metric("voice_completion_tokens", "Completion tokens", "Tokens that models wrote.",
           Plain(_sum(names.COMPLETION_TOKENS, _EXCHANGE)), unit="number", good="down"),
    Metric("voice_cost", "Cost", "What answers cost, in US dollars, as far as they say.",
           Plain(_sum(names.COST, _EXCHANGE)), unit="number", good="down"),
    Metric("voice_cost_per_exchange", "Cost of an exchange", "Cost over the exchanges that say what they cost.",
           Mean(moments(Prop(names.COST), _EXCHANGE)), unit="number", good="down"),
    Metric("voice_tokens_per_exchange", "Tokens of an exchange", "Tokens over the exchanges that say how many.",
           Mean(moments(Prop(names.TOKENS), _EXCHANGE)), unit="number", good="down"),
    Metric("voice_evaluations", "Evaluations", "Answers that were judged, once for each evaluator and version.",
           Plain(EVALUATIONS), good="up"),
    *_scores(),
    Metric("voice_poor_share", "Poor answers", f"Evaluations whose overall score is {POOR} or less, over all.",
           Ratio(count(_JUDGED & _is("overall", *map(str, range(LOWEST, POOR + 1)))), EVALUATIONS),
           unit="share", good="down"),
    Metric("voice_judge_tokens", "Tokens of judges", "Tokens that evaluations took.",
           Plain(_sum(names.JUDGE_TOKENS, _JUDGED)), unit="number", good="down"),
    Metric("voice_judge_cost", "Cost of judges", "What evaluations cost, in US dollars.",
           Plain(_sum(names.JUDGE_COST, _JUDGED)), unit="number", good="down"),
)  # fmt: skip

INTENT: Final = "intent"
STORE: Final = "store"
MODEL: Final = "model"
LANGUAGE: Final = "language"
ERROR: Final = "voice_error"
BAND: Final = "confidence_band"
EVALUATOR: Final = "evaluator"
STATE: Final = "exchange_state"

DIMENSIONS = (
    Dimension(INTENT, "Intent", "Intent that was understood.", Prop(names.INTENT), None),
    Dimension(STORE, "Store", "Property `storeId`: where the assistant was asked.", Prop(names.STORE), None),
    Dimension(MODEL, "Model", "Model that answered.", Prop(names.MODEL), None),
    Dimension(LANGUAGE, "Language", "Language of the query.", Prop(names.LANGUAGE), None),
    Dimension(ERROR, "Error", "Name of the error.", Prop(names.ERROR), None),
    Dimension(BAND, "Confidence band", "Tenth that the confidence lies in, as `0.8-0.9`.", Prop(names.BAND), None),
    Dimension(EVALUATOR, "Evaluator", "Evaluator and version of an evaluation, as `quality@2`.",
              Prop(names.EVALUATOR), None),
    Dimension(STATE, "State of an exchange", "answered, unanswered (no outcome), unasked (no query).",
              Prop(names.STATE), None),
)  # fmt: skip

FUNNELS = (
    Funnel(
        "voice_answers",
        "From query to success",
        (Step("Query", _QUERY), Step("Outcome that succeeded", _OUTCOME & flag(names.SUCCESS))),
        within=600,
    ),
)

PACK = Pack(
    "voice",
    "Voice assistants",
    "Queries and outcomes of voice assistants, and how good the answers are.",
    METRICS,
    DIMENSIONS,
    FUNNELS,
    board=BOARD,
)
