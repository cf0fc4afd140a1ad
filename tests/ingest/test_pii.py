"""Personal data is found by kind, and what only looks like it is left alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.pii import Finding, find, redacted, suspicious

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "anna.b+c@mail.example.co.uk"),
        ("email", "anna%40example.org"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4242424242424242"),
        ("card", "5500-0000-0000-0004"),
        ("card", "378282246310005"),
        ("card", "3782 822463 10005"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432"),
        ("ssn", "536-22-8726"),
        ("jwt", JWT),
    ],
)
def test_what_is_found(kind: str, text: str) -> None:
    assert find({"note": f"it is {text}, thanks"}) == [Finding("note", kind)]
    assert redacted(f"it is {text}, thanks") == f"it is [{kind}], thanks"
    assert suspicious(f'{{"note":"{text}"}}'.encode())


@pytest.mark.parametrize(
    "text",
    [
        "me@home", "@handle", "4111 1111 1111 1112", "1111 1111 1111 1117", "4444 4444 4444 4444", "20260501123456789",
        "DE00 3704 0044 0532 0130 00", "000-12-3456", "666-12-3456", "536-00-8726", "901-22-8726", "eyJ.eyJ.x", "",
        "2026-05-01T12:34:56Z", "+49 30 901820",
    ],
)  # fmt: skip
def test_what_is_left_alone(text: str) -> None:
    assert find({"note": text}) == []
    assert redacted(text) == text


def test_a_finding_says_where_and_never_what() -> None:
    properties = {"a": {"b": ["x", {"c": "a@b.org"}]}, "z@b.org": 1, "n": 5, "none": None}
    assert find(properties) == [Finding("a.b[1].c", "email"), Finding("(key)", "email")]
    assert redacted(properties) == {"a": {"b": ["x", {"c": "[email]"}]}, "[email]": 1, "n": 5, "none": None}


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.emails(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=8), json, max_size=3))
def test_what_is_redacted_holds_nothing_any_more(properties: dict[str, Any]) -> None:
    assert find(redacted(properties)) == []
