"""The benchmarks there are."""

from collections.abc import Callable, Mapping

from benchmarks import ab, behaviour, export, ingest, parts, pii, refresh, sdk, summary, voice, web
from benchmarks.figures import Bench, Figure

SUITES: Mapping[str, Callable[[Bench], list[Figure]]] = {
    "ingest": ingest.run,
    "summary": summary.run,
    "refresh": refresh.run,
    "web": web.run,
    "behaviour": behaviour.run,
    "sdk": sdk.run,
    "ab": ab.run,
    "voice": voice.run,
    "export": export.run,
    "parts": parts.run,
    "pii": pii.run,
}
