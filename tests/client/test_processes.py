"""The client in processes and threads: what it imports, the end of an interpreter, forks, many threads, event loops."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tallymark.client import AsyncClient, Client, Problem
from tests.client.clients import QUICK
from tests.client.stub import PATIENCE, Reply, Stub

SRC = Path(__file__).parents[2] / "src"

HEAVY = ("chdb", "clickhouse_connect", "granian", "litestar", "numpy", "pyarrow", "scipy", "sqlalchemy", "structlog")

FORKS = """
import os, sys
from tallymark.client import Client
client = Client(sys.argv[1], batch_seconds=3600)
for n in range(3):
    client.track("parent", value=n)
child = os.fork()
if not child:
    before = client.stats()
    client.track("child")
    done = client.flush(30)
    told = client.stats()
    os._exit(0 if done and before.calls == 0 and (told.calls, told.accepted) == (1, 1) else 1)
_, status = os.waitpid(child, 0)
client.track("parent", value=3)
client.close(30)
sys.exit(os.waitstatus_to_exitcode(status) or client.stats().accepted != 4)
"""


def run(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs code in an interpreter of its own."""
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_importing_it_imports_nothing_of_the_server() -> None:
    done = run(f"import sys, tallymark.client; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
    done = run("import sys, tallymark.client; print(*sorted(name for name in sys.modules if name[:9] == 'tallymark'))")
    ours = done.stdout.split()
    assert ours
    assert all(name == "tallymark" or name.startswith("tallymark.client") for name in ours)


@pytest.mark.parametrize("ending", ["", "; sys.exit(0)", "; raise SystemExit(0)"])
def test_the_end_of_the_interpreter_sends_what_is_left(ending: str) -> None:
    with Stub() as stub:
        made = "import sys; from tallymark.client import Client; client = Client(sys.argv[1], batch_seconds=3600)"
        done = run(f"{made}; [client.track('e', value=n) for n in range(7)]{ending}", stub.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert [event["value"] for event in stub.events] == list(range(7))


def test_a_server_that_is_away_does_not_hold_up_the_end() -> None:
    done = run("from tallymark.client import Client; Client('http://127.0.0.1:9', retries=None).track('e')")
    assert done.returncode == 0
    assert "given up at the end" in done.stderr


def test_a_forked_process_sends_its_own_and_only_its_own() -> None:
    with Stub() as stub:
        done = run(FORKS, stub.url)
        assert done.returncode == 0, done.stderr
        told = sorted((event["event"], event.get("value")) for event in stub.events)
    assert told == [("child", None), ("parent", 0), ("parent", 1), ("parent", 2), ("parent", 3)]


def record(client: Client, values: range) -> None:
    """Records an event of each value."""
    for value in values:
        client.track("e", value=value)


def test_many_threads_lose_nothing() -> None:
    threads, each = 8, 500
    with Stub() as stub:
        with Client(stub.url, queue_events=threads * each) as client, ThreadPoolExecutor(threads) as pool:
            for thread in range(threads):
                pool.submit(record, client, range(thread * each, (thread + 1) * each))
            pool.shutdown()
            assert client.flush(PATIENCE)
        assert client.stats().accepted == threads * each
        values = [event["value"] for event in stub.events]
    assert sorted(values) == list(range(threads * each))


def test_a_callback_may_use_the_client() -> None:
    flushed: list[bool] = []
    with Stub(Reply(400)) as stub, Client(stub.url, on_error=lambda _: use(), **QUICK) as client:

        def use() -> None:
            client.track("problem")
            flushed.append(client.flush(PATIENCE))

        client.track("e")
        stub.wait_for(2)
        assert client.flush(PATIENCE)
        assert flushed == [False]
        assert [event["event"] for event in stub.events] == ["e", "problem"]


def test_a_thread_that_interrupts_itself_does_not_wait_for_itself() -> None:
    """As a signal's handler does, that records while the thread was recording."""
    with Stub() as stub, Client(stub.url) as client:
        with client._queue.lock:
            client.track("within")
        assert client.flush(PATIENCE)
        assert stub.events[0]["event"] == "within"


def test_a_loop_sends_what_was_recorded_in_it_and_before_it() -> None:
    async def record() -> None:
        async with client:
            client.track("within")
            await asyncio.wait_for(asyncio.to_thread(stub.wait_for, 1), PATIENCE)  # without being asked

    with Stub() as stub:
        client = AsyncClient(stub.url, **QUICK)
        client.track("before")
        asyncio.run(record())
        assert [event["event"] for event in stub.events] == ["before", "within"]
    assert client.stats().accepted == 2


def test_a_second_loop_goes_on_where_the_first_ended() -> None:
    async def record(name: str) -> bool:
        client.track(name)
        return await client.flush(PATIENCE)

    with Stub() as stub:
        client = AsyncClient(stub.url)
        assert asyncio.run(record("first"))
        client.track("between")
        assert asyncio.run(record("second"))
    assert [event["event"] for event in stub.events] == ["first", "between", "second"]


def test_a_loop_that_ends_amid_a_request_counts_what_it_carried() -> None:
    problems: list[Problem] = []
    hangs = threading.Event()

    async def record() -> None:
        client.track("e")
        assert not await client.flush(0.2)
        stub.wait_for(1)

    with Stub(Reply(after=hangs)) as stub:
        client = AsyncClient(stub.url, on_error=problems.append)
        asyncio.run(record())
        hangs.set()
    assert (client.stats().failed, client.stats().calls) == (1, 1)
    assert [problem.kind for problem in problems] == ["failed"]


def test_recording_lets_the_loop_go_on() -> None:
    """Five thousand events while a server hangs: none waits for it."""
    hangs = threading.Event()

    async def record() -> None:
        client = AsyncClient(stub.url, batch_events=1, connections=1)
        for n in range(5_000):
            client.track("e", value=n)
        await asyncio.to_thread(stub.wait_for, 1)
        assert client.stats().queued == 5_000
        hangs.set()
        await client.aclose(0)
        assert client.stats().calls == 5_000

    with Stub(Reply(after=hangs)) as stub:
        asyncio.run(record())
