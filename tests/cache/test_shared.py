"""What processes share by a real Valkey: read by who wrote it, waited for by all, done without where it is away."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from tallymark.cache.memory import Memory
from tallymark.cache.opening import Cache, look, open_cache
from tallymark.cache.shared import Shared
from tallymark.cache.store import LARGEST
from tallymark.errors import BadSetting
from tests.valkey import Running, running

SECRET = b"of the installation"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


def shared(valkey: Running, secret: bytes = SECRET) -> Shared:
    return opened(valkey.url, secret)


def opened(url: str, secret: bytes = SECRET, wait: float = 0.2) -> Shared:
    cache = open_cache(url, secret)
    assert cache.remote is not None
    return Shared(cache.remote, secret, wait)


def run(shared: Shared, work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it; connections belong to the loop and end with it."""

    async def whole() -> Any:
        try:
            return await work
        finally:
            await shared.remote.close()

    return asyncio.run(whole())


def name(shared: Shared, key: str) -> str:
    return shared.remote.key("answer", key)


def test_what_one_process_keeps_another_finds(valkey: Running) -> None:
    one, other = shared(valkey), shared(valkey)
    run(one, one.set("kept", b'{"n":1}', 60))
    assert run(other, other.get("kept", 60)) == b'{"n":1}'
    assert 0 < valkey.client.ttl(name(one, "kept")) <= 60


def test_another_installation_finds_nothing(valkey: Running) -> None:
    one, other = shared(valkey), shared(valkey, b"of another")
    run(one, one.set("own", b"1", 60))
    assert run(other, other.get("own")) is None


@pytest.mark.parametrize("kept", [b"", b"1", b'{"n":2}', b"\xff" * 40, b"x" * (LARGEST + 40)])
def test_what_others_wrote_is_no_value(valkey: Running, kept: bytes) -> None:
    one = shared(valkey)
    valkey.client.set(name(one, "garbled"), kept)
    assert run(one, one.get("garbled", 60)) is None


def test_neither_is_a_value_of_another_name_nor_a_changed_one(valkey: Running) -> None:
    one, client = shared(valkey), valkey.client
    run(one, one.set("first", b'{"n":1}', 60))
    kept = client.get(name(one, "first"))
    assert kept is not None
    client.set(name(one, "second"), kept)
    client.set(name(one, "first"), kept.replace(b"1}", b"2}"))
    client.rpush(name(one, "third"), b"a list")
    assert [run(one, one.get(key, 60)) for key in ("first", "second", "third")] == [None] * 3


def test_one_computes_and_the_others_wait_for_it(valkey: Running) -> None:
    one, other = shared(valkey), opened(valkey.url, wait=60)

    async def together() -> tuple[bytes | None, bytes | None]:
        first = await one.awaited("hot")
        waiting = asyncio.create_task(other.awaited("hot"))
        await asyncio.sleep(0.05)
        await one.set("hot", b"1", 60)
        found = first, await waiting
        await other.remote.close()
        return found

    assert run(one, together()) == (None, b"1")


def test_they_compute_it_themselves_where_nothing_comes(valkey: Running) -> None:
    one, other = shared(valkey), shared(valkey)

    async def together() -> list[bytes | None]:
        found = [await one.awaited("failed")]
        await one.pass_on("failed")
        found += [await other.awaited("failed"), await one.awaited("failed")]  # the third waits until it is tired of it
        await other.remote.close()
        return found

    assert run(one, together()) == [None] * 3


def test_a_value_that_is_too_large_is_not_shared(valkey: Running) -> None:
    one = shared(valkey)

    async def keep() -> bytes | None:
        await one.awaited("large")
        await one.set("large", b"x" * (LARGEST + 1), 60)
        return await one.get("large")

    assert run(one, keep()) is None
    assert valkey.client.exists(one.remote.key("turn", "large")) == 0


def test_one_that_answers_nobody_is_done_without(valkey: Running) -> None:
    one = opened(valkey.hasty_url)

    async def ask() -> list[bytes | None]:
        return [await one.get("kept", 60) for _ in range(200)]

    with valkey.stopped():
        assert run(one, ask()) == [None] * 200
        assert one.remote.breaker.errors < 20  # waited for each, it would have been asked 200 times
        assert one.remote.breaker.open


def test_many_at_once_share_few_connections(valkey: Running) -> None:
    one = shared(valkey)

    async def ask() -> list[bytes | None]:
        await one.set("busy", b"1", 60)
        return await asyncio.gather(*(one.get("busy") for _ in range(50)))

    assert set(run(one, ask())) == {b"1"}
    assert one.remote.breaker.errors == 0


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_its_url(valkey: Running, scheme: str) -> None:
    assert look(valkey.url.replace("valkey", scheme, 1)) == "ok"


def test_no_valkey_is_wanted() -> None:
    assert open_cache("memory://", SECRET).remote is None
    assert isinstance(open_cache("", SECRET), Cache)
    assert isinstance(open_cache("", SECRET).memory, Memory)
    assert look("memory://") == "ok"


def test_urls_that_can_t_be_used() -> None:
    assert look("valkey://127.0.0.1:1/0").startswith("The cache does not answer (ConnectionError)")
    with pytest.raises(BadSetting, match="TALLYMARK_CACHE"):
        open_cache("valkey://127.0.0.1:none/0", SECRET)
