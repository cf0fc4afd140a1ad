"""The judge that asks Google's Gemini."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx2
import msgspec
from google import genai
from google.genai import errors, types

from tallymark.packs.voice.judges.answer import SCHEMA, read, usage_of
from tallymark.packs.voice.judges.faults import fault_of, longest, seconds_of_duration, seconds_of_header
from tallymark.packs.voice.judges.model import ModelJudge
from tallymark.packs.voice.judges.prompt import instructions, shown
from tallymark.spec.evaluation import Case, Failed, Fault, Usage, Verdict
from tallymark.spec.evaluator import EvaluatorDraft

BASE_URL: Final = "https://generativelanguage.googleapis.com/"

_REFUSED: Final = frozenset(
    ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "MODEL_ARMOR")
)
_TRUNCATED: Final = frozenset(("MAX_TOKENS", "CONTINUATION"))

#: Google answers 400 to a key that doesn't exist, and names the reason in a detail.
_NO_KEY: Final = "API_KEY_INVALID"
_WORD: Final = re.compile(r"[A-Z_]{1,40}", re.ASCII)


class _Part(msgspec.Struct):
    text: str = ""
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[_Part] = []


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content = msgspec.field(default_factory=_Content)
    finish_reason: str = ""


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str = ""


class _Tokens(msgspec.Struct, rename="camel"):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback = msgspec.field(default_factory=_Feedback)
    usage_metadata: _Tokens = msgspec.field(default_factory=_Tokens)


class GeminiJudge(ModelJudge):
    """Asks a model of Gemini for JSON of a schema. `base_url`: '' is Google's own server."""

    def __init__(self, key: str, base_url: str, timeout: float) -> None:
        super().__init__(timeout)
        # The one attempt is written out: without options, the library has retries of its own for some connections.
        # It also makes clients that are never used here; they share what takes the time, the set of certificates.
        options = types.HttpOptions(
            base_url=base_url or BASE_URL,
            timeout=math.ceil(timeout * 1_000),
            retry_options=types.HttpRetryOptions(attempts=1),
            httpx_async_client=self._http,
            client_args={"verify": self._tls},
            async_client_args={"ssl": self._tls},
        )
        self._client = genai.Client(vertexai=False, api_key=key, http_options=options)

    async def close(self) -> None:
        """Closes its connections."""
        self._client.close()
        await super().close()

    async def _ask(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        config = types.GenerateContentConfig(
            system_instruction=instructions(draft),
            temperature=0,
            response_mime_type="application/json",
            response_json_schema=SCHEMA,
            # One request a case, and its answer as it came: the library's own reading warns of words it doesn't know.
            automatic_continuation=False,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            should_return_http_response=True,
        )
        answer = await self._client.aio.models.generate_content(model=draft.model, contents=shown(case), config=config)
        raw = answer.sdk_http_response
        return _read((raw and raw.body) or "")

    def _told(self, error: Exception) -> Failed | None:
        if isinstance(error, errors.APIError):
            return _failed(error)
        if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
            return Failed(Fault.MALFORMED, "The server's answer is not what Gemini answers with.")
        return None


def _read(body: str) -> Verdict | Failed:
    answer = msgspec.json.decode(body, type=_Answer)
    usage = _usage(answer.usage_metadata)
    blocked = answer.prompt_feedback.block_reason
    if blocked:
        return Failed(Fault.REFUSED, f"The prompt was blocked{_named(blocked)}.", usage=usage)
    if not answer.candidates:
        return Failed(Fault.MALFORMED, "The server's answer holds no candidate.", usage=usage)
    candidate = answer.candidates[0]
    if candidate.finish_reason in _REFUSED:
        return Failed(Fault.REFUSED, f"The answer was withheld{_named(candidate.finish_reason)}.", usage=usage)
    if candidate.finish_reason in _TRUNCATED:
        return Failed(Fault.TRUNCATED, "The answer was longer than the model may write.", usage=usage)
    return read("".join(part.text for part in candidate.content.parts if not part.thought), usage)


def _usage(told: _Tokens) -> Usage:
    """Tokens as they are paid for: thoughts count as the answer's."""
    return usage_of(told.prompt_token_count, told.candidates_token_count + told.thoughts_token_count)


def _named(word: object) -> str:
    """One of Google's words such as `RESOURCE_EXHAUSTED`; anything else may quote the key or the case."""
    return f" ({word})" if isinstance(word, str) and _WORD.fullmatch(word) else ""


def _failed(error: errors.APIError) -> Failed:
    details = list(_details(error.details))
    fault = fault_of(error.code)
    if any(detail.get("reason") == _NO_KEY for detail in details):
        fault = Fault.UNAUTHORIZED
    header = error.response.headers.get("Retry-After") if isinstance(error.response, httpx2.Response) else None
    wait = longest(seconds_of_header(header), *(seconds_of_duration(detail.get("retryDelay")) for detail in details))
    return Failed(fault, f"Gemini answered {error.code}{_named(error.status)}.", wait)


def _details(body: Any) -> Iterator[Mapping[str, Any]]:
    """The details of Google's error format, of which `RetryInfo` and `ErrorInfo` are two kinds."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return (detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else iter(())
