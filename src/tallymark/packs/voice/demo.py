"""A voice assistant that never was: seeded, in four shops, with two models, growth, weekends and a bad day.

A slower, dearer and better model has answered more and more customers for 50 days. The assistant is surer of itself
than it should be; it gives up at times, repeats itself, or answers a German question in English without noticing. On
one day the recognition is down. The rules judge all of it before anybody looks.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

from tallymark.api.services import Services
from tallymark.control.experiments import Doer
from tallymark.ingest.decode import WireEvent
from tallymark.ingest.writer import Writer
from tallymark.packs.voice import names
from tallymark.packs.voice.demo_talk import EXCUSES, FALLBACK, INTENTS, MUMBLED, REFUSALS, Language, Texts, slots
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.packs.voice.exchanges import Exchanges
from tallymark.packs.voice.wire import event_of
from tallymark.spec.evaluator import DEFAULT_EVALUATOR
from tallymark.spec.evaluator_draft import parse_draft
from tallymark.spec.project import Project

#: The project that the events are for, as `POST /v1/projects` takes it.
PROJECT: Final[Mapping[str, object]] = {"name": "demo-voice", "packs": ["voice"], "retention": "400d"}

_SESSIONS = 41  # of the last days, about
_GROWTH = 1.004  # a day
_SATURDAY, _SUNDAY = 1.4, 0.4
_BAD_DAY = 23  # days before the last
_NEW_MODEL = 50  # days before the last
_OPENS, _OPEN_FOR = 8 * 3_600_000, 11 * 3_600_000  # milliseconds
_CUSTOMERS = 350  # of a shop
_TOO_SURE = 0.06
_GIVES_UP = 0.35  # below this it knows that it understood nothing
_LOST = 0.008  # queries of which only the outcome arrives
_GONE, _GONE_ON_A_BAD_DAY = 0.02, 0.15  # queries that are never answered
_ERRORS = ("TIMEOUT", "MODEL_OVERLOADED", "CATALOGUE_UNAVAILABLE")

#: Evaluations that are claimed together, and the seconds that they may take.
_TOGETHER: Final = 1_000
_JUDGING_SECONDS: Final = 600.0


@dataclass(frozen=True)
class _Store:
    """A shop: its share of the sessions, and which share of these is in German."""

    name: str
    weight: int
    german: float


_STORES: Final[Sequence[_Store]] = (
    _Store("berlin-1", 35, 0.85),
    _Store("hamburg-1", 20, 0.95),
    _Store("dublin-1", 25, 0.02),
    _Store("cork-1", 12, 0.0),
)


@dataclass(frozen=True)
class _Model:
    """A model: milliseconds of an answer, dollars a token, and the shares of answers that go wrong in some way."""

    name: str
    ms: float
    price: float
    refuses: float
    repeats: float
    foreign: float


_MINI: Final = _Model("aria-mini", 480, 0.4e-6, refuses=0.07, repeats=0.05, foreign=0.06)
_LARGE: Final = _Model("aria-large", 1_150, 3e-6, refuses=0.02, repeats=0.01, foreign=0.01)


@dataclass(frozen=True)
class _Visit:
    """A session of a customer: `common` is said with every event of it; `bad` if nothing is recognised on that day."""

    language: Language
    model: _Model
    bad: bool
    common: Mapping[str, Any]


@dataclass(frozen=True)
class _Heard:
    """What is made of a query, and how likely that is right: its answer then, and the one given otherwise."""

    transcript: str
    intent: str
    answer: str
    wrong: str
    sure: float


@dataclass(frozen=True)
class _Took:
    """Milliseconds of each stage."""

    recognition: float
    understanding: float
    answering: float

    @property
    def total(self) -> float:
        return self.recognition + self.understanding + self.answering


def days(last: date, length: int = 90, seed: int = 6) -> Iterator[tuple[date, list[WireEvent]]]:
    """Each day up to `last` with its events in order of time; days are UTC's. Same arguments, same events."""
    for age in reversed(range(length)):
        day = last - timedelta(days=age)
        draw = Random(f"{seed} {day}")
        week = {5: _SATURDAY, 6: _SUNDAY}.get(day.weekday(), 1.0)
        mean = _SESSIONS * _GROWTH**-age * week
        sessions = max(1, round(draw.gauss(mean, mean**0.5)))
        said = [event for _ in range(sessions) for event in _session(day, age, draw)]
        yield day, [event_of(each) for each in sorted(said, key=lambda each: float(each["timestamp"]))]


def judge(here: Services, project: Project, now: datetime) -> None:
    """Joins what was sent, the lone ones too, and has the rules judge it: nobody pays for a demo."""
    Exchanges(here, timedelta()).join(project)
    if here.evaluators.get(project.id, DEFAULT_EVALUATOR) is None:
        draft = parse_draft({"key": DEFAULT_EVALUATOR, "judge": "rules"})
        here.evaluators.create(project.id, draft, Doer("demo", now))
    asyncio.run(_judged(here, project))


async def _judged(here: Services, project: Project) -> None:
    """Judges with a writer of its own: the server's begins when it serves."""
    writer = Writer(here.store, 0.0, here.settings.queue_events, lambda _: here.keeper.touched([project.id]))
    settings = replace(here.settings, eval_batch_size=_TOGETHER)
    writer.start()
    evaluating = Evaluating.of(replace(here, writer=writer, settings=settings))
    await asyncio.to_thread(evaluating.run, _JUDGING_SECONDS, project)
    await writer.close()


def _session(day: date, age: int, draw: Random) -> Iterator[dict[str, Any]]:
    """What is sent of one to four queries in a row."""
    visit = _visit(age, draw)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000 + _OPENS + draw.randrange(_OPEN_FOR)
    before = ""
    for _ in range(draw.choices((1, 2, 3, 4), (5, 3, 2, 1))[0]):
        heard, took = _heard(visit, draw), _took(visit, draw)
        common = {**visit.common, "query_id": f"{draw.getrandbits(64):016x}", "intent": heard.intent}
        answer = _answered(visit, heard, before, draw)
        before = answer["response"] or before
        if draw.random() > _LOST:
            yield {**common, "timestamp": at, **_query(visit, heard, took, draw)}
        if draw.random() > (_GONE_ON_A_BAD_DAY if visit.bad else _GONE):
            yield {**common, "timestamp": at + took.total, **_outcome(visit, heard, took, answer)}
        at += draw.randrange(15_000, 60_000)


def _visit(age: int, draw: Random) -> _Visit:
    store = draw.choices(_STORES, [store.weight for store in _STORES])[0]
    large = age < _NEW_MODEL and draw.random() < 0.2 + 0.4 * (1 - age / _NEW_MODEL)
    language: Language = "de" if draw.random() < store.german else "en"
    common = {
        "store_id": store.name,
        "session_id": f"{draw.getrandbits(64):x}",
        "user_id": f"{store.name} {draw.randrange(_CUSTOMERS)}",
    }
    return _Visit(language, _LARGE if large else _MINI, age == _BAD_DAY, common)


def _heard(visit: _Visit, draw: Random) -> _Heard:
    """What a customer asks, and what there is to answer."""
    meant, other = draw.choices(INTENTS, [intent.weight for intent in INTENTS], k=2)
    sure = min(0.97, max(0.05, draw.gauss(meant.sure, 0.13))) * (0.45 if visit.bad else 1)
    if sure < _GIVES_UP:
        return _Heard(_one(MUMBLED, visit.language, draw), FALLBACK, "", "", sure)
    words = slots(visit.language, draw)
    asked = _one(meant.asks, visit.language, draw).format(**words)
    slips = visit.language == "de" and draw.random() < visit.model.foreign
    answer = _told(meant.answers, "en", draw) if slips else _told(meant.answers, visit.language, draw, words)
    return _Heard(asked, meant.name, answer, _told(other.answers, visit.language, draw), sure)


def _took(visit: _Visit, draw: Random) -> _Took:
    recognition = draw.gauss(210, 35) * (6 if visit.bad else 1)
    return _Took(recognition, draw.gauss(55, 9), visit.model.ms * draw.lognormvariate(0, 0.45))


def _query(visit: _Visit, heard: _Heard, took: _Took, draw: Random) -> dict[str, Any]:
    return {
        "event_type": names.QUERY,
        "transcript": heard.transcript,
        "confidence": round(min(0.99, heard.sure + _TOO_SURE), 3),
        "language": visit.language,
        "word_error_rate": _word_errors(visit.bad, draw),
        "recognition_ms": round(took.recognition),
        "understanding_ms": round(took.understanding),
    }


def _outcome(visit: _Visit, heard: _Heard, took: _Took, answer: Mapping[str, Any]) -> dict[str, Any]:
    given, written = 180 + len(heard.transcript) // 4, 6 + len(answer["response"]) // 4
    return {
        "event_type": names.OUTCOME,
        **answer,
        "model": visit.model.name,
        "response_ms": round(took.answering),
        "total_ms": round(took.total),
        "prompt_tokens": given,
        "completion_tokens": written,
        "cost_usd": round((given + 3 * written) * visit.model.price, 7),
    }


def _answered(visit: _Visit, heard: _Heard, before: str, draw: Random) -> dict[str, Any]:
    """The answer, and whether the assistant takes it for a success; `before` is the answer before."""
    if draw.random() < (0.2 if visit.bad else 0.015):
        return {"response": "", "success": False, "error": draw.choices(_ERRORS, (6, 2, 1))[0]}
    if heard.intent == FALLBACK:
        return {"response": _one(EXCUSES, visit.language, draw), "success": False}
    if draw.random() < visit.model.refuses:
        return {"response": _one(REFUSALS, visit.language, draw), "success": False}
    if draw.random() > heard.sure:
        return {"response": heard.wrong, "success": False}
    if before and draw.random() < visit.model.repeats:
        return {"response": before, "success": True}
    return {"response": heard.answer, "success": True}


def _word_errors(bad: bool, draw: Random) -> float:
    if bad:
        return round(draw.uniform(0.3, 0.9), 2)
    return 0.0 if draw.random() < 0.7 else round(draw.uniform(0.05, 0.35), 2)


def _told(texts: Texts, language: Language, draw: Random, words: Mapping[str, str] | None = None) -> str:
    """A sentence with these words in it, or with some."""
    sentence = _one(texts, language, draw).format(**(words or slots(language, draw)))
    return sentence[:1].upper() + sentence[1:]


def _one(texts: Texts, language: Language, draw: Random) -> str:
    return draw.choice(texts[language])
