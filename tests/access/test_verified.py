"""Which tokens count by themselves: as good as a reader finds them, without a fetch."""

import time
from pathlib import Path

from tallymark.access.jwks import JwkSet
from tallymark.access.tokens import Tokens
from tallymark.access.verified import Verified
from tallymark.config import load
from tests.access.tokens import SECRET, Signer, issuer, token


def test_a_token_is_good_until_it_expires(tmp_path: Path) -> None:
    tokens, now = Tokens(load({}, tmp_path / ".env", jwt_secrets=(SECRET,))), [time.time()]
    verified = Verified(tokens, most=2, clock=lambda: now[0])
    soon = token("ada", exp=int(now[0]) + 20)
    assert soon in verified
    now[0] += 19
    assert soon in verified
    for bad in ("tm_read_x", "a.b.c", soon[:-2], token("ada", exp=1), token("ada", secret="x" * 40), token("")):
        assert bad not in verified
    for user in ("bob", "cleo", "dora"):  # more than are kept
        assert token(user) in verified
    assert soon in verified


def test_no_key_is_fetched_for_it(tmp_path: Path) -> None:
    with issuer() as server:
        server.has(signer := Signer.new("one"))
        settings = load({}, tmp_path / ".env", jwt_jwks_url=server.url)
        tokens = Tokens(settings, JwkSet(server.url))
        verified, signed = Verified(tokens), signer.sign()
        assert signed not in verified
        assert server.asked == 0
        tokens.read(signed)
        assert signed in verified
        assert Signer.new("other").sign() not in verified
        assert server.asked == 1
