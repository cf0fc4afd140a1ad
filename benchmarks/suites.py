"""The benchmarks there are."""

from collections.abc import Callable, Mapping

from benchmarks import (
    ab,
    archive,
    behaviour,
    cache,
    client,
    export,
    ingest,
    parts,
    pii,
    quiz,
    quiz_items,
    refresh,
    sdk,
    summary,
    sync_postgres,
    voice,
    web,
)
from benchmarks.figures import Bench, Figure

SUITES: Mapping[str, Callable[[Bench], list[Figure]]] = {
    "ingest": ingest.run,
    "summary": summary.run,
    "refresh": refresh.run,
    "web": web.run,
    "behaviour": behaviour.run,
    "cache": cache.run,
    "sdk": sdk.run,
    "ab": ab.run,
    "client": client.run,
    "voice": voice.run,
    "quiz-items": quiz_items.run,
    "quiz": quiz.run,
    "export": export.run,
    "archive": archive.run,
    "sync": sync_postgres.run,
    "parts": parts.run,
    "pii": pii.run,
}
