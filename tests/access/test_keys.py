"""How keys are made, and what is kept of them."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tallymark.access.keys import digest, local_key, mint, new_key
from tallymark.control.keys import Scope


@pytest.mark.parametrize("scope", ["ingest", "read", "admin"])
def test_a_key_says_what_it_is_for(scope: Scope) -> None:
    assert re.fullmatch(f"tm_{scope}_[0-9A-Za-z]{{36}}", new_key(scope))


def test_no_two_keys_are_the_same() -> None:
    assert len({new_key("read") for _ in range(1_000)}) == 1_000


def test_the_digest_is_sha256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_draft_has_the_hash_and_the_beginning_only() -> None:
    minted = mint("ingest", "phone")
    assert (minted.draft.scope, minted.draft.label) == ("ingest", "phone")
    assert minted.draft.hash == digest(minted.secret)
    assert minted.draft.prefix == minted.secret[: len("tm_ingest_") + 4]


def test_the_local_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = local_key(data)
    assert key.startswith("tm_admin_")
    assert local_key(data) == key
    assert stat.S_IMODE((data / "local.key").stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == ["local.key"]


def test_all_who_come_at_once_get_the_same_local_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(local_key, [tmp_path] * 16))) == 1
