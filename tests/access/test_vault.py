"""The vault: what it seals, only it opens; what it hashes, it finds again; what it signs, it knows."""

import re
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallymark.access.vault import Vault, normalised
from tallymark.errors import BadRequest

VAULT = Vault(b"a secret of the tests")
OTHER = Vault(b"another secret")
PROJECTS = st.integers(0, 2**63 - 1)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
NAMES = st.text(string.ascii_letters + string.digits + "äÖéßİΣς+-", min_size=1, max_size=20)
ADDRESSES = st.builds(
    "{}@{}.{}".format, NAMES, st.sampled_from(["mail", "Bücher"]), st.sampled_from(["test", "example"])
)


@given(st.text(), PROJECTS)
def test_what_is_sealed_opens_to_the_same(text: str, project: int) -> None:
    sealed = VAULT.seal(project, text)
    assert VAULT.open(project, sealed) == Vault(b"a secret of the tests").open(project, sealed) == text


@given(st.text(), PROJECTS, PROJECTS)
def test_nobody_else_opens_it(text: str, project: int, other: int) -> None:
    assume(project != other)
    sealed = VAULT.seal(project, text)
    for vault, asked in ((VAULT, other), (OTHER, project)):
        with pytest.raises(ValueError, match="was not sealed for project"):
            vault.open(asked, sealed)


@given(st.integers(0, 99), st.integers(1, 255))
def test_a_changed_seal_does_not_open(at: int, change: int) -> None:
    raw = bytearray(urlsafe_b64decode(VAULT.seal(1, "ada@mail.test")))
    raw[at % len(raw)] ^= change
    with pytest.raises(ValueError, match="was not sealed"):
        VAULT.open(1, urlsafe_b64encode(raw))


@pytest.mark.parametrize("sealed", [b"", b"nonsense", b"\xff" * 100])
def test_nonsense_does_not_open(sealed: bytes) -> None:
    with pytest.raises(ValueError, match="was not sealed"):
        VAULT.open(1, sealed)


def test_a_seal_shows_nothing() -> None:
    one, two = VAULT.seal(1, "ada@mail.test"), VAULT.seal(1, "ada@mail.test")
    assert one != two
    assert b"ada" not in one


@given(ADDRESSES)
def test_a_normalised_address_stays_as_it_is(email: str) -> None:
    once = normalised(email)
    assert normalised(once) == once == once.strip()


@given(ADDRESSES, PROJECTS)
def test_all_spellings_of_an_address_are_one(email: str, project: int) -> None:
    hashed = VAULT.look_up(project, email)
    assert re.fullmatch("[0-9a-f]{64}", hashed)
    for spelling in (normalised(email), f" {email}\n", email.replace("ü", "u\u0308")):
        assert VAULT.look_up(project, spelling) == hashed


@given(ADDRESSES, ADDRESSES, PROJECTS, PROJECTS)
def test_other_addresses_projects_and_secrets_give_other_hashes(a: str, b: str, project: int, other: int) -> None:
    assume(normalised(a) != normalised(b))
    assume(project != other)
    given_by = ((VAULT, project, a), (VAULT, project, b), (VAULT, other, a), (OTHER, project, a))
    assert len({vault.look_up(of, email) for vault, of, email in given_by}) == 4


@pytest.mark.parametrize(
    ("email", "spelled"),
    [
        ("ada@mail.test", "ada@mail.test"),
        (" Ada.B+c@MAIL.Example\t", "ada.b+c@mail.example"),
        ("A\u0308@x.test", "ä@x.test"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("a@xn--bcher-kva.example", "a@bücher.example"),
        ("a@sub.example.com", "a@sub.example.com"),
    ],
)
def test_how_an_address_is_spelled(email: str, spelled: str) -> None:
    assert normalised(email) == spelled


NO_ADDRESSES = [
    *(
        "",
        " ",
        "ada",
        "ada@",
        "@mail.test",
        "ada@mail",
        "a b@mail.test",
        "ada@@mail.test",
        "ada@mail.local",
        "a@b.invalid",
    ),
    *("Ada <ada@mail.test>", '"a b"@mail.test', "ada@[127.0.0.1]", "ada@mail.test\nbcc:x@y.test", "\ud800@mail.test"),
    *("a" * 255 + "@mail.test", " " * 400 + "ada@mail.test", "ada@" + "xn--a" * 10_000),
]


@pytest.mark.parametrize("email", NO_ADDRESSES, ids=range(len(NO_ADDRESSES)))
def test_what_is_no_address_is_refused_and_not_repeated(email: str) -> None:
    with pytest.raises(BadRequest) as caught:
        VAULT.look_up(1, email)
    assert caught.value.body() == {
        "error": {"code": "bad_request", "message": "This is not an email address.", "field": "email"}
    }
    assert caught.value.__context__ is None


@given(st.text(max_size=400))
def test_any_text_is_an_address_or_a_bad_request(text: str) -> None:
    with suppress(BadRequest):
        assert normalised(normalised(text)) == normalised(text)


@given(PROJECTS, HASHES)
def test_a_token_names_what_it_was_made_of(project: int, email_hash: str) -> None:
    token = VAULT.token(project, email_hash)
    assert re.fullmatch("[A-Za-z0-9_-]{80}", token)
    assert VAULT.read_token(token) == (project, email_hash)
    assert VAULT.token(project, email_hash) == token
    assert OTHER.read_token(token) is None


@given(PROJECTS, HASHES, st.integers(0, 79), st.sampled_from(string.ascii_letters + string.digits + "-_+/=. é"))
def test_a_changed_token_names_nobody(project: int, email_hash: str, at: int, letter: str) -> None:
    token = VAULT.token(project, email_hash)
    changed = token[:at] + letter + token[at + 1 :]
    assume(changed != token)
    assert VAULT.read_token(changed) is None


@given(st.text() | st.text(string.ascii_letters, min_size=80, max_size=80))
def test_no_other_text_is_a_token(text: str) -> None:
    assert VAULT.read_token(text) is None


@pytest.mark.parametrize("around", ["{}\n", " {}", "{}=", "{}A"])
def test_a_token_is_nothing_more_and_nothing_less(around: str) -> None:
    assert VAULT.read_token(around.format(VAULT.token(1, "ab" * 32))) is None


def test_keys_are_derived_once_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[str] = []

    def derive(secret: bytes, purpose: str) -> bytes:
        derived.append(purpose)
        return b"k" * 32

    monkeypatch.setattr("tallymark.access.vault.derived", derive)
    vault = Vault(b"secret")
    for _ in range(3):
        for project in (1, 2):
            vault.look_up(project, vault.open(project, vault.seal(project, "ada@mail.test")))
            vault.read_token(vault.token(project, "ab" * 32))
    assert derived == ["token", "seal 1", "look up 1", "seal 2", "look up 2"]


def test_fingerprints_are_of_a_project_and_never_those_of_an_address() -> None:
    vault = Vault(b"secret")
    made = vault.fingerprint(1, "ada@example.org")
    assert re.fullmatch("[0-9a-f]{64}", made)
    assert made == Vault(b"secret").fingerprint(1, "ada@example.org")
    others = [
        vault.fingerprint(2, "ada@example.org"),
        vault.fingerprint(1, "Ada@example.org"),
        vault.look_up(1, "ada@example.org"),
        Vault(b"another").fingerprint(1, "ada@example.org"),
        vault.fingerprint(1, "\ud800"),
    ]
    assert len({made, *others}) == 6
