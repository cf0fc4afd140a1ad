"""An assistant's past: written and judged in this process."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.embedded import FIRST, store
from benchmarks.figures import BenchmarkError
from tallymark.api.services import Services
from tallymark.control.experiments import Doer
from tallymark.ingest.writer import Writer
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.packs.voice.wire import event_of
from tallymark.spec.evaluator_draft import parse_draft
from tallymark.spec.project import Project

PROJECT = "assistant"

_INTENTS = ("order_status", "returns", "opening_hours", "stock_check", "price_check", "small_talk")
_ANSWERS = ("Your order arrives tomorrow.", "Returns take thirty days.", "I'm sorry, I can't help with that.")
_CHUNK = 20_000  # events that are stored together


def pair(draw: random.Random, query_id: str, at: float) -> list[dict[str, Any]]:
    """A query and its outcome, as an application sends them."""
    common = {
        "query_id": query_id, "store_id": f"store-{draw.randrange(12)}", "session_id": f"s-{draw.randrange(50_000)}",
        "user_id": f"u-{draw.randrange(20_000)}", "intent": draw.choice(_INTENTS),
    }  # fmt: skip
    query = {
        "event_type": "voice_query", "timestamp": at, "transcript": "where is my order", "language": "en",
        "confidence": round(draw.random(), 2), "recognition_ms": draw.randrange(150, 400), "understanding_ms": 55,
    }  # fmt: skip
    outcome = {
        "event_type": "voice_outcome", "timestamp": at + 1, "response": draw.choice(_ANSWERS),
        "success": draw.random() < 0.8, "model": draw.choice(("mini", "large")),
        "response_ms": draw.randrange(300, 900), "total_ms": draw.randrange(600, 1_500), "prompt_tokens": 190,
        "completion_tokens": 12, "cost_usd": 0.0001,
    }  # fmt: skip
    return [{**common, **query}, {**common, **outcome}]


def write(here: Services, project: Project, days: int, a_day: int) -> None:
    """Stores so many pairs of each day, as they come out of the pipeline."""
    draw = random.Random(7)
    waiting: list[Mapping[str, Any]] = []
    for day in range(days):
        start = (FIRST + timedelta(days=day)).timestamp()
        for number in range(a_day):
            waiting += pair(draw, f"{day}-{number}", start + draw.random() * 86_000)
        if len(waiting) >= _CHUNK or day == days - 1:
            store(here, project, [event_of(each) for each in waiting])
            waiting = []


def judge(here: Services, project: Project, share: float) -> tuple[int, float]:
    """How many exchanges, a share of all, were judged by rules in how many seconds."""
    draft = parse_draft({"key": "quality", "judge": "rules", "sampleRate": round(share, 6)})
    here.evaluators.create(project.id, draft, Doer("benchmark", datetime.now(UTC)))
    return asyncio.run(_judged(here, project))


async def _judged(here: Services, project: Project) -> tuple[int, float]:
    writer = Writer(here.store, here.settings.linger_ms / 1000, here.settings.queue_events, lambda _: None)
    writer.start()
    started = time.monotonic()
    tally = await asyncio.to_thread(Evaluating.of(replace(here, writer=writer)).run, 3_600, project)
    seconds = time.monotonic() - started
    await writer.close()
    if set(tally) - {"gone"} != {"judged"}:
        raise BenchmarkError(f"Not everything was judged: {tally}")
    return tally["judged"], seconds
