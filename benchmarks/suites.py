"""The benchmarks there are."""

from collections.abc import Callable, Mapping

from benchmarks import ingest, parts
from benchmarks.figures import Bench, Figure

SUITES: Mapping[str, Callable[[Bench], list[Figure]]] = {
    "ingest": ingest.run,
    "parts": parts.run,
}
