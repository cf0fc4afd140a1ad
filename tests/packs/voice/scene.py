"""Conversations with an assistant that are judged by a model, and what plain Python makes of them."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tallymark.control.experiments import Doer
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.spec.evaluation import SCORES
from tallymark.spec.evaluator_draft import parse_draft
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.voice.llm import Llm, Reply, Request
from tests.packs.voice.oracle import BOT, Oracle, Row, Wire, evaluation, exchanges, received

ZONE = "America/St_Johns"

#: US dollars for a million tokens, in and out.
PRICES = (1.5, 6.25)
EVALUATORS: Sequence[Mapping[str, Any]] = (
    {"key": "quality", "judge": "openai", "model": "m", "inputPrice": PRICES[0], "outputPrice": PRICES[1]},
    {"key": "strict", "judge": "openai", "model": "m", "filter": ["store:is:s-1|s-2"]},
)


def scores(key: str, transcript: str) -> dict[str, int]:
    """What the model says of a query, told by an evaluator's instructions."""
    return {score: 1 + zlib.crc32(f"{key} {score} {transcript}".encode()) % 5 for score in SCORES}


def usage(transcript: str) -> tuple[int, int]:
    """Tokens that judging a query takes, in and out."""
    return 100 + len(transcript), 20 + len(transcript) % 7


def judge(request: Request) -> Reply:
    """The model."""
    transcript = str(request.case["transcript"])
    key = next(name for name in ("strict", "second", "first") if f"You are {name}." in request.instructions)
    said = {"rationale": f"{key} of {transcript}", **scores(key, transcript), "labels": ["ok"]}
    prompt, completion = usage(transcript)
    return Reply(json.dumps(said), prompt_tokens=prompt, completion_tokens=completion)


@dataclass(frozen=True)
class Scene:
    """A project whose first half was judged by `quality@1`, the second by `quality@2`; and some by `strict@1`."""

    assistant: Assistant
    sent: Sequence[Wire]
    oracle: Oracle


def play(assistant: Assistant, llm: Llm) -> Scene:
    """Sends conversations, and has them judged."""
    llm.otherwise = judge
    random, doer = Random(7), Doer("test", NOON)
    evaluators = assistant.here.evaluators
    for draft, name in zip(EVALUATORS, ("first", "strict"), strict=True):
        evaluators.create(assistant.id, parse_draft({**draft, "prompt": f"You are {name}."}), doer)
    halves = [list(_conversations(random, range(start, start + 22))) for start in (0, 22)]
    judged: list[Row] = []
    for half, (name, key) in zip(halves, (("quality@1", "first"), ("quality@2", "second")), strict=True):
        if key == "second":
            evaluators.update(assistant.id, "quality", {"prompt": "You are second."}, doer)
        assistant.send(*half)
        assistant.join()
        assistant.wait()
        Evaluating.of(assistant.here).run(120, assistant.application.project(assistant.name))
        judged += _evaluations(half, name, key)
    sent = [*halves[0], *halves[1]]
    return Scene(assistant, sent, Oracle.of(sent, evaluations=judged))


def _evaluations(half: Sequence[Wire], name: str, key: str) -> Iterator[Row]:
    for exchange in exchanges(received(half)):
        if exchange.bot or exchange.said["exchangeState"] == "unanswered":
            continue
        transcript = str(exchange.said.get("transcript", ""))
        prompt, completion = usage(transcript)
        cost = (prompt * PRICES[0] + completion * PRICES[1]) / 1e6
        yield evaluation(exchange, name, scores(key, transcript), prompt + completion, cost)
        if exchange.said.get("storeId") in ("s-1", "s-2"):
            yield evaluation(exchange, "strict@1", scores("strict", transcript), prompt + completion, 0)


def _conversations(random: Random, numbers: range) -> Iterator[Wire]:
    for number in numbers:
        at = NOON - timedelta(minutes=random.randrange(6 * 1_440))
        agent = {"user_agent": BOT} if random.random() < 0.08 else {}
        who = {"user_id": random.choice(("ann", "bob", "zoë")), "session_id": random.choice(("s", "t"))}
        both = {**who, **agent, "store_id": random.choice(("s-1", "s-2", "s-3", "ß")),
                "language": random.choice(("de", "en"))}  # fmt: skip
        kinds = random.choice(("both", "both", "both", "both", "query", "outcome"))
        if kinds != "outcome":
            yield _query(random, number, at, both)
        if kinds != "query":
            yield _outcome(random, number, at + timedelta(seconds=random.randrange(90)), both)


def _query(random: Random, number: int, at: datetime, both: Mapping[str, str]) -> Wire:
    text = (
        random.choice(("Where is my order", "WHERE is my order ", "what time is it")) if number % 3 else f"hi {number}"
    )
    return event("query", f"q-{number}", at, **both, transcript=text, word_error_rate=random.choice((0, 0.125, 0.5)),
                 recognition_ms=random.randrange(50, 400))  # fmt: skip


def _outcome(random: Random, number: int, at: datetime, both: Mapping[str, str]) -> Wire:
    said: dict[str, Any] = {
        "response": f"answer {number}", "intent": random.choice(("order", "time", "unknown")),
        "confidence": random.choice((0.05, 0.31, 0.55, 0.7, 0.85, 0.99, 1)), "success": random.random() < 0.6,
        "error": random.choice(("timeout", "asr")), "model": random.choice(("m-1", "m-2")),
        "understanding_ms": random.randrange(5, 60), "response_ms": random.randrange(100, 4_000) / 10,
        "total_ms": random.randrange(200, 9_000), "prompt_tokens": random.randrange(50, 500),
        "completion_tokens": random.randrange(5, 90), "cost_usd": random.randrange(1, 900) / 1e6,
    }  # fmt: skip
    left_out = random.sample(sorted(said), random.choice((1, 2, 4)))
    if random.random() < 0.7:
        left_out.append("error")
    return event("outcome", f"q-{number}", at, **both, **{name: said[name] for name in said if name not in left_out})
