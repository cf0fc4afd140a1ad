"""What a process does that wants a lease which another one wants too: while it has it, it counts, in two steps."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tallymark.control.database import Database, open_database
from tallymark.control.leases import Leases
from tallymark.control.models import MetaRow

PROCESSES = ("one", "other")
_THREADS, _WISHES = 4, 40

#: How long a process waits for the other one, in seconds.
_PATIENCE = 60.0


def turns(url: str, process: str) -> int:
    """How often this process had the lease; it begins once both are there, and ends when it had it at least once."""
    with closing(open_database(url)) as database, ThreadPoolExecutor(_THREADS) as pool:
        _meet(database, process)
        had = sum(pool.map(lambda n: _turn(database, f"{process} {n}"), range(_WISHES)))
        until = time.monotonic() + _PATIENCE
        while not had and time.monotonic() < until:
            had += _turn(database, process)
        return had


def _meet(database: Database, process: str) -> None:
    with database.write() as session:
        session.add(MetaRow(key=process, value=""))
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with database.read() as session:
            if all(session.get(MetaRow, each) for each in PROCESSES):
                return
        time.sleep(0.01)


def _turn(database: Database, holder: str) -> bool:
    """Whether the holder had the lease, and counted meanwhile."""
    leases = Leases(database)
    if not leases.acquire("turn", holder, _PATIENCE):
        return False
    with database.read() as session:
        value = int(session.get_one(MetaRow, "n").value)
    with database.write() as session:
        session.get_one(MetaRow, "n").value = str(value + 1)
    leases.release("turn", holder)
    return True
