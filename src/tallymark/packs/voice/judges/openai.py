"""The judge that asks OpenAI, or any server that speaks as it does: vLLM, Ollama, llama.cpp and many more."""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from openai import APIStatusError, AsyncOpenAI

from tallymark.packs.voice.judges.answer import SCHEMA, read, usage_of
from tallymark.packs.voice.judges.faults import fault_of, seconds_of_header
from tallymark.packs.voice.judges.model import ModelJudge
from tallymark.packs.voice.judges.prompt import instructions, shown
from tallymark.spec.evaluation import Case, Failed, Fault, Verdict
from tallymark.spec.evaluator import EvaluatorDraft

BASE_URL: Final = "https://api.openai.com/v1"

#: Servers of one's own mostly want none, but the library does.
_NO_KEY: Final = "none"

_BY_SCHEMA: Final = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA}}
_BY_PROMPT: Final = {"type": "json_object"}


@dataclass(frozen=True)
class _Manners:
    """What a server is asked for that not every server, or not every model, takes."""

    schema: bool = True
    temperature: bool = True

    def without(self, refused: str, param: object) -> "_Manners":
        """What is left to ask for after a server refused, saying so, perhaps naming the parameter."""
        if self.schema and ("response_format" in refused or "json_schema" in refused):
            return replace(self, schema=False)
        return replace(self, temperature=False) if param == "temperature" else self

    def and_of(self, other: "_Manners") -> "_Manners":
        """What both ask for."""
        return _Manners(self.schema and other.schema, self.temperature and other.temperature)


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class OpenAIJudge(ModelJudge):
    """Asks by chat completions for JSON of a schema. `base_url`: '' is OpenAI's own; `key` may be '' elsewhere.

    A server that takes no schema is told it in the prompt instead, from then on.
    """

    def __init__(self, key: str, base_url: str, timeout: float) -> None:
        super().__init__(timeout)
        self._client = AsyncOpenAI(
            api_key=key or _NO_KEY,
            base_url=base_url or BASE_URL,
            timeout=timeout,
            max_retries=0,
            http_client=self._http,
        )
        self._manners = _Manners()

    async def _ask(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        asked = self._manners
        while True:
            try:
                return _read(await self._send(case, draft, asked))
            except APIStatusError as error:
                fewer = asked.without(error.response.text, error.param)
                if fewer == asked:
                    raise
            # Others that were on their way meanwhile may have learnt something too.
            asked = self._manners = self._manners.and_of(fewer)

    async def _send(self, case: Case, draft: EvaluatorDraft, manners: _Manners) -> bytes:
        extra: dict[str, Any] = {"response_format": _BY_SCHEMA if manners.schema else _BY_PROMPT}
        if manners.temperature:
            extra["temperature"] = 0
        answer = await self._client.chat.completions.with_raw_response.create(
            model=draft.model,
            messages=[
                {"role": "system", "content": instructions(draft, with_schema=not manners.schema)},
                {"role": "user", "content": shown(case)},
            ],
            **extra,
        )
        body: bytes = answer.http_response.content
        return body

    def _told(self, error: Exception) -> Failed | None:
        if isinstance(error, APIStatusError):
            wait = seconds_of_header(error.response.headers.get("Retry-After"))
            # Nothing that the server said is passed on: it may quote the key or the case.
            return Failed(fault_of(error.status_code), f"The server answered {error.status_code}.", wait)
        if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
            return Failed(Fault.MALFORMED, "The server's answer is no chat completion.")
        return None


def _read(body: bytes) -> Verdict | Failed:
    completion = msgspec.json.decode(body, type=_Completion)
    told = completion.usage or _Usage()
    usage = usage_of(told.prompt_tokens, told.completion_tokens)
    if not completion.choices:
        return Failed(Fault.MALFORMED, "The server's answer holds no choice.", usage=usage)
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return Failed(Fault.REFUSED, "The model refused to judge, or its answer was withheld.", usage=usage)
    if choice.finish_reason == "length":
        return Failed(Fault.TRUNCATED, "The answer was longer than the model may write.", usage=usage)
    return read(choice.message.content, usage)
