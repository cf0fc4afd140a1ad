"""Reading a form: the same out of JSON, urlencoded and multipart; nothing that a person wrote is lost."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import UnreadableBody
from tallymark.packs.leads.form import LeadMalformed, consents_in, json_fields, read
from tallymark.packs.web.form import Pair, fields_of, pairs_of

URLENCODED = "application/x-www-form-urlencoded"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
#: Names that have no meaning here.
OWN = TEXTS.map(lambda text: f"own {text}")
FORMS = st.dictionaries(OWN, TEXTS, max_size=8)


@given(FORMS)
def test_what_a_person_writes_is_kept_whatever_it_is_written_in(fields: dict[str, str]) -> None:
    sent = {**fields, "email": "ada@example.org", "form": "signup"}
    for read_back in (
        json_fields(msgspec.json.encode(sent)),
        fields_of(pairs_of(urlencode(sent).encode(), URLENCODED)),
        fields_of(Pair(*item) for item in sent.items()),
    ):
        form = read(read_back)
        assert form.payload == fields
        assert (form.email, form.form) == ("ada@example.org", "signup")


ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, st.lists, max_leaves=3)


@given(st.dictionaries(st.sampled_from(("email", "consent", "utm", "id", "x")) | TEXTS, ANYTHING, max_size=5))
def test_any_object_is_a_form_or_malformed(fields: dict[str, Any]) -> None:
    before = repr(fields)
    try:
        form = read(fields)
    except LeadMalformed:
        return
    assert repr(fields) == before
    assert set(form.payload) <= set(fields)
    for name, value in form.payload.items():
        assert value == fields[name]


@given(st.lists(st.tuples(st.sampled_from("ab"), TEXTS)))
def test_a_name_that_comes_again_is_a_list(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{name}={quote_plus(text)}" for name, text in pairs).encode()
    fields = fields_of(pairs_of(body, URLENCODED))
    for name, value in fields.items():
        assert (value if isinstance(value, list) else [value]) == [text for own, text in pairs if own == name]


@given(st.binary(max_size=64))
def test_any_bytes_are_fields_or_malformed(body: bytes) -> None:
    with suppress(UnreadableBody):
        assert isinstance(fields_of(pairs_of(body, URLENCODED)), dict)
    with suppress(LeadMalformed):
        assert isinstance(json_fields(body), dict)


@pytest.mark.parametrize(
    "fields",
    [
        {"utm": {"source": "news", "campaign": "spring"}},
        {"utm_source": "news", "utm_campaign": "spring"},
        {"utmSource": "news", "utmCampaign": "spring"},
        {"utm[source]": "news", "utm.campaign": "spring"},
        {"utm": {"utm_source": "news", "utmCampaign": "spring"}},
    ],
)
def test_a_campaign_in_all_its_spellings(fields: dict[str, Any]) -> None:
    form = read(fields)
    assert form.utm == {"source": "news", "campaign": "spring"}
    assert form.payload == {}


@pytest.mark.parametrize("word", [True, "on", "Yes", "true", "1", 1, "granted", ["0", "1"]])
def test_yes(word: object) -> None:
    assert consents_in(word) == {"marketing": "granted"}


@pytest.mark.parametrize("word", [False, "off", "No", "false", "0", 0, "denied"])
def test_no(word: object) -> None:
    assert consents_in({"analytics": word}) == {"analytics": "denied"}


@pytest.mark.parametrize("word", [None, "", "unset", []])
def test_nothing_said(word: object) -> None:
    assert consents_in(word) == {}


@pytest.mark.parametrize(
    "said", ["perhaps", 2, {"marketing": {}}, {"Ada@example.org": True}, {"": True}, {"erasure": True}]
)
def test_neither_yes_nor_no(said: object) -> None:
    with pytest.raises(LeadMalformed) as caught:
        consents_in(said)
    assert caught.value.field == "consent"
    assert "example" not in caught.value.message


def test_a_form_names_purposes_in_brackets() -> None:
    form = read({"consent[marketing]": "on", "consent.analytics": "off", "consentPolicy": "2026-01"})
    assert form.consents == {"marketing": "granted", "analytics": "denied"}
    assert (form.policy, form.payload) == ("2026-01", {})


def test_what_steers_is_no_payload() -> None:
    fields = {
        "email": " ada@example.org ", "formId": 7, "eventId": "e1", "visitorId": "v", "sessionId": "s",
        "pageUrl": "https://a.example/x", "path": "/y", "referrer": "https://b.example/", "consent": "on",
        "policyVersion": "3", "propertyId": "site", "redirect": "/thanks", "key": "k", "_gotcha": "",
        "name": "Ada", "phone": "1", "company": "ACM", "message": "hi", "topics": ["a", "b"],
    }  # fmt: skip
    form = read(fields)
    assert set(form.payload) == {"name", "phone", "company", "message", "topics"}
    assert (form.email, form.form, form.submission_id, form.redirect) == ("ada@example.org", "7", "e1", "/thanks")
    assert not form.trapped
    assert read({"_hp": "x"}).trapped
    assert read({"_gotcha": "x"}).trapped


def test_an_emoji_that_was_cut_is_no_reason_to_lose_a_lead() -> None:
    assert json_fields(b'{"email": "a@example.org", "message": "hi \\ud83d"}')["message"] == "hi ?"


def test_too_many_fields() -> None:
    read({str(i): "" for i in range(100)})
    with pytest.raises(LeadMalformed):
        read({str(i): "" for i in range(101)})


def test_too_many_purposes() -> None:
    consents_in({f"p{i}": True for i in range(20)})
    with pytest.raises(LeadMalformed):
        consents_in({f"p{i}": True for i in range(21)})
