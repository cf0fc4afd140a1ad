"""Tokens of users: who is believed, and who tries in vain."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tallymark.access.jwks import JwkSet, read_keys
from tallymark.access.tokens import Tokens, User, is_token
from tallymark.config import load
from tallymark.errors import BadSetting, Unauthorized, Unavailable
from tests.access.tokens import SECRET, Issuer, Signer, claims, issuer, part64, raw, token

_OTHER = "another-secret-of-forty-characters-for-it"


def tokens(clock: Callable[[], float] = time.monotonic, /, **settings: Any) -> Tokens:
    loaded = load({}, Path("no.env"), **{"jwt_secrets": (SECRET,), **settings})
    return Tokens(loaded, JwkSet(loaded.jwt_jwks_url, clock) if loaded.jwt_jwks_url else None)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer.new("first", "RS256")


@pytest.fixture
def keys(signer: Signer) -> Iterator[Issuer]:
    with issuer() as running:
        running.has(signer)
        yield running


def refusal(text: str, **settings: Any) -> str:
    """The sentence that a token is refused with, which says nothing of the token."""
    with pytest.raises(Unauthorized) as refused:
        tokens(**settings).read(text)
    assert not [part for part in text.split(".") if len(part) > 4 and part in refused.value.message]
    return refused.value.message


def test_a_token_names_a_user_and_a_role() -> None:
    assert tokens().read(token("ada")) == User("ada", "learner", ("quiz",))
    assert tokens().read(token("tom", "teacher")).role == "teacher"
    assert tokens().read(token("eve", "admin")).role == "admin"


@pytest.mark.parametrize(
    "said",
    [
        {"app_metadata": {"tallymark_role": "root"}},
        {"app_metadata": {"tallymark_role": ["admin"]}},
        {"app_metadata": "admin"},
        {"user_metadata": {"tallymark_role": "admin"}},
        {"tallymark_role": "admin", "role": "admin"},
        {"app_metadata.tallymark_role": "admin"},
    ],
)
def test_whoever_has_no_role_is_a_learner(said: dict[str, Any]) -> None:
    assert tokens().read(jwt.encode(claims(**said), SECRET, "HS256")).role == "learner"


def test_the_claim_of_the_role_is_a_setting() -> None:
    assert tokens(jwt_role_claim=("role",)).read(token(role=None, roles=[])).role == "learner"
    assert tokens(jwt_role_claim=("a", "b", "c")).read(token(a={"b": {"c": "teacher"}})).role == "teacher"
    assert tokens(jwt_role_claim=()).read(token("ada", "admin")).role == "learner"


def test_claims_that_users_write_are_no_roles() -> None:
    for field in ("jwt_role_claim", "jwt_project_claim"):
        with pytest.raises(BadSetting, match="users write it"):
            tokens(**{field: ("user_metadata", "role")})


def test_projects_that_a_token_is_good_for() -> None:
    named: dict[str, Any] = {"jwt_project_claim": ("app_metadata", "projects")}
    assert tokens(**named).read(token(app_metadata={"projects": "school"})).projects == ("school",)
    assert tokens(**named).read(token(app_metadata={"projects": ["a", 7, "", "b"]})).projects == ("a", "b")
    assert tokens(**named).read(token()).projects == ()
    assert tokens(quiz_project="mine").read(token(app_metadata={"projects": "school"})).projects == ("mine",)


def test_secrets_take_turns() -> None:
    both: dict[str, Any] = {"jwt_secrets": (_OTHER, SECRET)}
    assert tokens(**both).read(token("old")).name == "old"
    assert tokens(**both).read(token("new", secret=_OTHER)).name == "new"
    assert refusal(token(exp=1), **both) == "This token has expired."
    assert refusal(token(), jwt_secrets=(_OTHER,)) == "The signature of this token is wrong."


def test_a_short_secret_is_none_and_stays_a_secret() -> None:
    with pytest.raises(BadSetting, match="32 characters") as refused:
        tokens(jwt_secrets=(SECRET, "hunter2"))
    assert "hunter2" not in refused.value.message


def test_settings_of_tokens() -> None:
    read = load({"SUPABASE_JWT_SECRET": f"{SECRET}, {_OTHER}", "TALLYMARK_JWT_ROLE_CLAIM": "a.b"}, Path("no.env"))
    assert (read.jwt_secrets, read.jwt_role_claim, read.jwt_audience) == ((SECRET, _OTHER), ("a", "b"), "authenticated")
    for bad in ({"TALLYMARK_JWT_JWKS_URL": "file:///etc/passwd"}, {"TALLYMARK_JWT_ROLE_CLAIM": "a..b"}):
        with pytest.raises(BadSetting):
            load(bad, Path("no.env"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"exp": 1_000}, "This token has expired."),
        ({"exp": int(time.time()) - 40}, "This token has expired."),
        ({"nbf": int(time.time()) + 3_600}, "This token is not valid yet."),
        ({"iat": int(time.time()) + 3_600}, "This token is not valid yet."),
        ({"aud": "anon"}, "This token is for another audience."),
        ({"aud": ["anon", "x"]}, "This token is for another audience."),
        ({"sub": ""}, "The `sub` of this token must be a text of 1 to 200 characters."),
        ({"sub": "x" * 201}, "The `sub` of this token must be a text of 1 to 200 characters."),
        ({"sub": "a\nb"}, "The `sub` of this token must be a text of 1 to 200 characters."),
    ],
)
def test_claims_that_do_not_hold(said: dict[str, Any], why: str) -> None:
    assert refusal(token(**{"user": "ada", **said} if "sub" not in said else said)) == why


@pytest.mark.parametrize("name", ["sub", "exp", "aud"])
def test_claims_that_are_missing(name: str) -> None:
    said = claims()
    del said[name]
    assert refusal(jwt.encode(said, SECRET, "HS256")) == f"This token lacks `{name}`."


@pytest.mark.parametrize("exp", ["soon", None, [1], 1e400, float("nan"), True])
def test_an_end_that_is_no_time(exp: Any) -> None:
    refusal(signed({"alg": "HS256"}, {**claims(), "exp": exp}))


def test_clocks_may_differ_by_seconds() -> None:
    now = int(time.time())
    assert tokens().read(token(exp=now - 5, nbf=now + 5)).name == "ada"


def test_issuer_and_audience() -> None:
    mine: dict[str, Any] = {"jwt_issuer": "https://school.example"}
    assert tokens(**mine).read(token(iss="https://school.example")).name == "ada"
    assert refusal(token(iss="https://evil.example"), **mine) == "This token is of another issuer."
    assert refusal(token(), **mine) == "This token lacks `iss`."
    assert tokens(jwt_audience="").read(token(aud="anybody")).name == "ada"
    assert tokens().read(token(aud=["x", "authenticated"])).name == "ada"


def signed(header: Any, payload: Any, secret: bytes = SECRET.encode()) -> str:
    """A token of any parts under a good signature."""
    head, body, _ = raw(header, payload).split(".")
    mac = hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{part64(mac)}"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, ["HS256"], "HS512", "RS256", "hs256"])
def test_other_algorithms_are_not_taken(algorithm: Any) -> None:
    why = refusal(signed({"alg": algorithm, "typ": "JWT"}, claims()))
    assert why == "This token is signed in a way that is not taken here."
    assert refusal(raw({"alg": "none"}, claims())) == why


def test_the_public_key_is_no_secret(keys: Issuer, signer: Signer) -> None:
    """Signed by HS256 with the text of the public key: good for whoever lets the token choose."""
    for secret in (signer.pem, signer.pem.strip(), json.dumps(signer.jwk).encode()):
        forged = signed(
            {"alg": "HS256", "kid": "first"}, claims("mallory", app_metadata={"tallymark_role": "admin"}), secret
        )
        assert refusal(forged, jwt_secrets=(), jwt_jwks_url=keys.url) == (
            "This token is signed in a way that is not taken here."
        )
        assert refusal(forged, jwt_jwks_url=keys.url) == "The signature of this token is wrong."


def test_what_a_token_brings_along_is_no_key(keys: Issuer) -> None:
    """Keys in `jwk`, or where `jku` and `x5u` point, are nobody's."""
    mallory = Signer.new("mallory", "ES256")
    for headers in ({"jwk": mallory.jwk}, {"jku": keys.url}, {"x5u": keys.url}, {"kid": "first", "jwk": mallory.jwk}):
        refusal(mallory.sign(headers), jwt_secrets=(), jwt_jwks_url=keys.url)


def test_demands_that_are_not_known_are_refused() -> None:
    for crit in (["b64"], ["exp"], [], "b64", None):
        assert refusal(signed({"alg": "HS256", "crit": crit, "b64": False}, claims())) == (
            "This token demands an extension that is not known here."
        )


def test_a_changed_token_is_wrong() -> None:
    head, _, tag = token("ada").split(".")
    forged = part64(json.dumps(claims("eve")).encode())
    assert refusal(f"{head}.{forged}.{tag}") == "The signature of this token is wrong."
    assert refusal(f"{head}.{forged}.") == "The signature of this token is wrong."


def test_a_name_that_comes_twice() -> None:
    """Readers differ in which of the two they take."""
    twice = json.dumps(claims("ada"))[:-1] + ', "sub": "eve"}'
    refusal(signed({"alg": "HS256"}, twice))
    refusal(signed('{"alg": "HS256", "alg": "none"}', claims()))
    refusal(signed({"alg": "HS256"}, json.dumps(claims())[:-1] + ', "app_metadata": {"a": 1, "a": 2}}'))


def test_a_huge_token_is_not_read() -> None:
    assert refusal(token(filler="x" * 8_192)) == "This token is longer than 8192 characters."


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "..", raw("[]", {}), raw("[" * 3_000, {}), raw("{}", "no"), "a\n.b.c"],
)  # fmt: skip
def test_what_is_no_token(text: str) -> None:
    refusal(text)


def test_keys_are_told_from_tokens() -> None:
    assert is_token(token())
    assert not [key for key in ("tm_read_0aB9", "a-key", "sk.live", "a.b.c d", "a.b.é", "") if is_token(key)]


def test_nothing_is_set() -> None:
    assert refusal(token(), jwt_secrets=()) == "No tokens of users are taken here: a key is needed."


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_public_keys(keys: Issuer, algorithm: str) -> None:
    made = Signer.new("it", algorithm)
    keys.has(made)
    read = tokens(jwt_secrets=(), jwt_jwks_url=keys.url).read
    assert read(made.sign(user="ada")).name == "ada"
    assert read(jwt.encode(claims("bob"), made.private, algorithm)).name == "bob"
    assert keys.asked == 1


def test_keys_take_turns(keys: Issuer, signer: Signer) -> None:
    """An id that is not known has them fetched again, at most once in 30 s; one that is gone is not good any more."""
    now = [0.0]
    read = tokens(lambda: now[0], jwt_secrets=(), jwt_jwks_url=keys.url).read
    assert read(signer.sign()).name == "ada"
    second = Signer.new("second", "ES256")
    keys.has(signer, second)
    for _ in range(20):
        with pytest.raises(Unauthorized, match="its issuer does not have"):
            read(second.sign())
    assert keys.asked == 1
    now[0] = 31
    assert read(second.sign()).name == read(signer.sign()).name == "ada"
    assert keys.asked == 2
    keys.has(second)
    now[0] = 700
    assert read(second.sign()).name == "ada"
    with pytest.raises(Unauthorized, match="its issuer does not have"):
        read(signer.sign())
    assert keys.asked == 3


@pytest.mark.parametrize("kid", ["../../../../dev/null", "' OR 1=1 --", "/proc/self/environ", "first\0", "", "x" * 900])
def test_an_id_of_a_key_is_a_name_only(keys: Issuer, signer: Signer, kid: str) -> None:
    why = refusal(signer.sign({"kid": kid}), jwt_secrets=(), jwt_jwks_url=keys.url)
    assert why == "This token is signed with a key that its issuer does not have."


def test_a_key_is_good_for_its_algorithm(keys: Issuer, signer: Signer) -> None:
    other = jwt.encode(claims(), signer.private, "RS512", headers={"kid": "first"})
    assert "not taken here" in refusal(other, jwt_secrets=(), jwt_jwks_url=keys.url)


def test_the_last_keys_stay_good_while_the_issuer_is_away(keys: Issuer, signer: Signer) -> None:
    now = [0.0]
    read = tokens(lambda: now[0], jwt_secrets=(), jwt_jwks_url=keys.url).read
    read(signer.sign())
    for status, body in ((500, b""), (200, b"<html>"), (200, b'{"keys": []}'), (200, b"[1]"), (200, b"[" * 100_000)):
        keys.status, keys.body = status, body
        now[0] += 1_000
        assert read(signer.sign()).name == "ada"
    assert keys.asked == 6


@pytest.mark.parametrize("trouble", ["huge", "slow", "moved", "garbage", "gone"])
def test_keys_that_can_not_be_fetched(keys: Issuer, signer: Signer, trouble: str) -> None:
    """No token can be checked, which is said as such; the issuer is not asked again at once."""
    with issuer() as elsewhere:
        elsewhere.has(signer)
        if trouble == "huge":
            keys.body = b" " * 300_000 + keys.body
        keys.drip = trouble == "slow"
        if trouble == "moved":
            keys.status, keys.location = 302, elsewhere.url
        if trouble == "garbage":
            keys.body = b"\xff\xfe"
        url = "http://127.0.0.1:1/keys" if trouble == "gone" else keys.url
        read = tokens(jwt_secrets=(), jwt_jwks_url=url).read
        for _ in range(3):
            with pytest.raises(Unavailable, match="can't be fetched"):
                read(signer.sign())
        assert keys.asked == (0 if trouble == "gone" else 1)
        assert elsewhere.asked == 0


def test_what_of_a_set_is_used(signer: Signer) -> None:
    """Secrets, private keys, keys for encryption and weak ones are left out."""
    good, weak = signer.jwk, Signer.new("ed", "EdDSA").jwk
    secret = {"kty": "oct", "k": part64(SECRET.encode()), "kid": "secret", "alg": "HS256"}
    private = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signer.private)), "kid": "private"}
    short = {**good, "n": part64(b"\xc5" * 128), "kid": "short"}
    others = [secret, private, short, {**good, "use": "enc", "kid": "enc"}, {**good, "alg": "HS256", "kid": "hs"}, 7,
              {"kty": "RSA", "kid": "broken"}, {"kty": "EC", "crv": "P-521", "x": "", "y": "", "kid": "p"}]  # fmt: skip
    assert set(read_keys(json.dumps({"keys": [good, weak, *others]}).encode())) == {"first", "ed"}
    with pytest.raises(ValueError, match="no public key"):
        read_keys(json.dumps({"keys": others}).encode())
