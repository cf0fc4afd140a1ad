"""Names of the voice contract's events and properties."""

from typing import Final

QUERY: Final = "voice_query"
OUTCOME: Final = "voice_outcome"

#: Derived: a query and its outcome as one event, and what a judge says of it.
EXCHANGE: Final = "voice_exchange"
EVALUATED: Final = "voice_evaluated"

QUERY_ID: Final = "queryId"
STORE: Final = "storeId"
TRANSCRIPT: Final = "transcript"
INTENT: Final = "intent"
CONFIDENCE: Final = "confidence"
RESPONSE: Final = "response"
SUCCESS: Final = "success"
FALLBACK: Final = "fallback"
ERROR: Final = "error"
LANGUAGE: Final = "language"
MODEL: Final = "model"
WORD_ERRORS: Final = "wordErrorRate"

RECOGNITION: Final = "recognitionMs"
UNDERSTANDING: Final = "understandingMs"
ANSWERING: Final = "responseMs"
TOTAL: Final = "totalMs"
STAGES: Final = (RECOGNITION, UNDERSTANDING, ANSWERING, TOTAL)

PROMPT_TOKENS: Final = "promptTokens"
COMPLETION_TOKENS: Final = "completionTokens"
TOKENS: Final = "tokens"
COST: Final = "costUsd"

#: The tenth that a confidence lies in, as `0.8-0.9`.
BAND: Final = "confidenceBand"

#: Of an exchange: whether both are there, or which is missing.
STATE: Final = "exchangeState"
ANSWERED: Final = "answered"
UNANSWERED: Final = "unanswered"
UNASKED: Final = "unasked"

#: Of an evaluation: `quality@2`, its judge and model, why, and labels; scores stand under their own names.
EVALUATOR: Final = "evaluator"
JUDGE: Final = "judge"
JUDGE_MODEL: Final = "judgeModel"
RATIONALE: Final = "rationale"
LABELS: Final = "labels"
EXCHANGE_ID: Final = "exchangeId"
JUDGE_TOKENS: Final = "judgeTokens"
JUDGE_COST: Final = "judgeCostUsd"
