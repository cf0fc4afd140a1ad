"""What a server has without a clock, in this process, and events that are stored in it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tallymark.api.services import Services
from tallymark.app import build
from tallymark.config import load
from tallymark.engine.opening import open_engine
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.spec.project import Project

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def embedded(data: Path) -> Iterator[Services]:
    """What a server has, without its clock."""
    data.mkdir()
    settings = load({}, data / "no.env", data=data)
    engine = open_engine(settings)
    try:
        here: Services = build(settings, engine, clocked=False).state.services
        yield here
    finally:
        engine.close()


def store(here: Services, project: Project, events: Sequence[WireEvent]) -> None:
    """Stores events as they come out of the pipeline."""
    limits, now = Limits(None, 0, 1_000, 1 << 20), int(time.time() * 1_000)
    batch = admit(Decoded(list(events), range(len(events))), project, limits, now, "", b"")
    here.store.put(here.receiver.enricher.rows(batch, ""))
