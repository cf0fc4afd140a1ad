"""The engine that a URL names."""

from contextlib import suppress
from pathlib import Path

from tallymark.config import Settings
from tallymark.engine.base import Engine
from tallymark.engine.embedded import EmbeddedEngine
from tallymark.engine.schema import migrate
from tallymark.engine.server import ServerEngine
from tallymark.errors import EngineUnavailable


def open_engine(settings: Settings) -> Engine:
    """The engine of these settings, with its tables up to date; a server that is away is migrated later."""
    url = settings.engine_url
    if url.startswith("chdb://"):
        path = Path(url.removeprefix("chdb://"))
        engine: Engine = EmbeddedEngine(path, settings.engine_memory_mb, settings.engine_threads)
        migrate(engine)
        return engine
    engine = ServerEngine(url)
    with suppress(EngineUnavailable):
        migrate(engine)
    return engine
