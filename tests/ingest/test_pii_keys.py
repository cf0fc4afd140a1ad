"""Names tell in every spelling, only those of the list, and only where something stands under them."""

import re
from pathlib import Path
from typing import Any

import pytest

from tallymark.ingest.pii import Finding, find, redacted, suspicious
from tallymark.ingest.pii_keys import TELLING
from tallymark.ingest.pii_kinds import DETECTORS

PRIVACY = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


def _kind(name: str, value: Any) -> str | None:
    """What is found under a name; the body's scan must have seen it coming."""
    findings = find({name: value})
    if not findings:
        return None
    (finding,) = findings
    assert redacted({name: value}) == {name: f"[{finding.kind}]"}
    assert suspicious(b'[{"event":"x","properties":{"%s":%s}}]' % (name.encode(), _json(value)))
    return finding.kind


def _json(value: Any) -> bytes:
    return f'"{value}"'.encode() if isinstance(value, str) else str(value).encode()


#: Something that may stand under the names of a kind.
EXAMPLES = {
    "email": "ada@localhost", "phone": "123 4567", "name": "Ada", "address": "12 Old Mill, York",
    "birthdate": "1990-05-12",
    "ssn": "536228726", "document": "C01X00T47", "card": "4111 1111 1111 1112", "iban": "DE00 3704 0044 0532 0130 00",
    "ip": "192.0.2.7", "secret": "hunter2",
}  # fmt: skip


@pytest.mark.parametrize("telling", TELLING, ids=lambda telling: telling.names.split()[0])
def test_every_name_of_the_list_tells_in_every_spelling(telling: Any) -> None:
    for name in telling.names.split():
        value = "123" if telling.names.startswith("cvv") else EXAMPLES[telling.kind]
        words = name.split("-")
        camel = words[0] + "".join(word.capitalize() for word in words[1:])
        spelled = {name, camel, camel[0].upper() + camel[1:], "_".join(words), "_".join(words).upper(), " ".join(words)}
        for spelling in sorted(spelled):
            assert _kind(spelling, value) == telling.kind, spelling
            assert _kind(f"customer_{spelling}", value) == telling.kind, spelling
            assert _kind(f"user.{spelling}2", value) == telling.kind, spelling
            assert _kind(f"user[{spelling}]", value) == telling.kind, spelling


@pytest.mark.parametrize(
    "name",
    [
        "emailHash", "emailDomain", "emailOptIn", "phoneVerified", "hasEmail", "emailId", "name", "eventName",
        "productName",
        "fileName", "hostName", "street_view_enabled", "zip", "hotel", "membership", "tooltip", "username", "cardType",
        "passwordStrength", "tokenCount", "ipCountry", "firstNameLength", "company_name", "macAddress", "walletAddress",
    ],
)  # fmt: skip
def test_other_names_tell_nothing(name: str) -> None:
    for value in ("Ada", "12 Old Mill, York", "hunter2", "1990-05-12", "555 4567"):
        assert _kind(name, value) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", True), ("email", None), ("email", ""), ("email", "weekly"), ("email", "[email]"), ("email", "***"),
        ("email", "unknown"),
        ("email", "9f86d081884c7d659a2feaa0c55ad015"), ("email", "sha256:" + "9f" * 32), ("phone", "iPhone 15"),
        ("phone", 5),
        ("phone", "0b2f6e1c-6d0c-4a57-9f0f-7c7a3a1d9a11"), ("mobile", True), ("firstName", "n/a"),
        ("firstName", "[name]"),
        ("fullName", "octocat/hello-world"), ("address", "https://a.example/b c"), ("address", "0x" + "ab" * 32),
        ("address", "unknown"),
        ("dob", "1990"), ("dob", 1990), ("birthday", "soon"), ("passport", "GB"), ("cardNumber", "visa"),
        ("cvv", "match"), ("ip", "::1"),
        ("ip", "127.0.0.1"), ("ip", "DE"), ("password", "strong"), ("password", True), ("secret", ""),
        ("ssn", "given"), ("iban", "DE"),
    ],
)  # fmt: skip
def test_under_a_telling_name_something_must_stand(name: str, value: Any) -> None:
    assert find({name: value}) == []


def test_a_secret_may_look_like_a_digest() -> None:
    assert _kind("apiKey", "9f86d081884c7d659a2feaa0c55ad015") == "secret"


def test_a_name_may_tell_together_with_the_one_above() -> None:
    properties = {
        "card": {"number": 4111111111111112, "type": "visa"}, "customer": {"name": "Ada"},
        "phone": {"home": "1234567", "n": 1},
        "fullName": [{"first": "Ada"}], "password": {"strength": "quite good"}, "product": {"name": "Mill"},
    }  # fmt: skip
    assert find(properties) == [
        Finding("card.number", "card"), Finding("customer.name", "name"), Finding("phone.home", "phone"),
        Finding("fullName[0].first", "name"),
    ]  # fmt: skip


def test_names_within_a_text_tell_too() -> None:
    page = "https://x.example/?utm_source=a&first_name=Ada&user%5Bphone%5D=1234567&q=1"
    assert redacted(page) == "https://x.example/?utm_source=a&first_name=[name]&user%5Bphone%5D=[phone]&q=1"
    assert redacted("login failed, password=hunter2, try=3") == "login failed, password=[secret], try=3"
    assert redacted('{"lastName": "Lovelace", "n": 1}') == '{"lastName": "[name]", "n": 1}'
    assert redacted("?phone=iphone&email=on&name=Ada") == "?phone=iphone&email=on&name=Ada"


def test_every_kind_and_every_telling_name_is_documented() -> None:
    for kind in {detector.kind for detector in DETECTORS} | {telling.kind for telling in TELLING}:
        assert f"| `{kind}` |" in PRIVACY
    documented = set(re.findall(r"[^\s`|,]+", PRIVACY[PRIVACY.index("### Telling names") :]))
    for telling in TELLING:
        assert set(telling.names.split()) <= documented
