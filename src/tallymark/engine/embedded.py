"""ClickHouse in the process: chDB over a directory that this process owns."""

import fcntl
from pathlib import Path
from typing import IO

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tallymark.engine.connections import SESSION, Connections
from tallymark.errors import EngineLocked, EngineUnavailable

_MEGABYTE = 1 << 20
_BACKGROUND_THREADS = 16


class EmbeddedEngine(Connections):
    """chDB: one process per directory, one directory per process at a time.

    `memory_mb` bounds what the engine may use, `threads` those of one query (0: the engine's choice).
    Errors: `EngineLocked` where another process owns the directory.
    """

    def __init__(self, path: Path, memory_mb: int = 2048, threads: int = 0) -> None:
        self._path = path
        self._options = _options(memory_mb, threads)
        path.mkdir(parents=True, exist_ok=True)
        self._lock_file = _own(path)
        super().__init__(self._open)
        try:
            self._anchor = self._open()  # the engine shuts down with its last connection
        except EngineUnavailable:
            self._lock_file.close()
            raise

    def close(self) -> None:
        """Ends every connection and gives the directory free."""
        super().close()
        self._anchor.close()
        self._lock_file.close()

    def _open(self) -> Client:
        try:
            return clickhouse_connect.get_client(
                interface="chdb", path=str(self._path), chdb_options=self._options, settings=SESSION
            )
        except (ClickHouseError, RuntimeError) as error:
            text = str(error).split("\n", 1)[0][:500]
            raise EngineUnavailable(f"The embedded engine can't open {self._path}: {text}") from error


def _options(memory_mb: int, threads: int) -> dict[str, str]:
    """Bounds on memory, all in bytes: everything together, one query, and the caches that would otherwise grow.

    Mutations go through each part by itself, and wait in a pool that is full: one of 2, the embedded default, took 19 s
    for a deletion over 117 parts, one of 16, the server's default, 1.4 s.
    """
    options = {
        "max_server_memory_usage": memory_mb * _MEGABYTE,
        "max_memory_usage": memory_mb * _MEGABYTE * 3 // 4,
        "mark_cache_size": 64 * _MEGABYTE,
        "index_mark_cache_size": 32 * _MEGABYTE,
        "primary_index_cache_size": 64 * _MEGABYTE,
        "uncompressed_cache_size": 0,
        "background_pool_size": _BACKGROUND_THREADS,
    }
    if threads:
        options["max_threads"] = threads
    return {name: str(value) for name, value in options.items()}


def _own(path: Path) -> IO[str]:
    """A lock on the directory that ends with the process, however it ends."""
    lock = (path / "owner.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise EngineLocked(
            f"Another process uses the data in {path}: stop it, talk to it with --endpoint, "
            "or choose another TALLYMARK_DATA."
        ) from None
    return lock
