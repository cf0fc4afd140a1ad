"""Personal data is found by kind wherever it stands and however it is spelled, and what is redacted is gone."""

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import personal_data
from tallymark.ingest.pii import Finding, cleaned, find, redacted, suspicious

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
HEX = "0123456789abcdef"


def wide(text: str) -> str:
    """The text in full-width characters."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "anna.b+c@mail.example.co.uk"),
        ("email", "anna%40example.org"),
        ("email", "anna%2540example.org"),
        ("email", "o'brien@example.org"),
        ("email", "jürgen@bücher.example"),
        ("email", "用户@例え.jp"),
        ("email", "anna@xn--bcher-kva.example"),
        ("email", "anna@xn--e1afmkfd.xn--p1ai"),
        ("email", wide("anna@example.org")),
        ("email", "an\u200bna@exam\u00adple.org"),
        ("email", "anna&#64;example.org"),
        ("email", "anna [at] example [dot] org"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4242424242424242"),
        ("card", "5500-0000-0000-0004"),
        ("card", "2221000000000009"),
        ("card", "6011000990139424"),
        ("card", "3530111333300000"),
        ("card", "378282246310005"),
        ("card", "3782 822463 10005"),
        ("card", "30569309025904"),
        ("card", "4111\u20111111\u20111111\u20111111"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432"),
        ("iban", "NO9386011117947"),
        ("ssn", "536-22-8726"),
        ("phone", "+49 30 901820"),
        ("phone", "+4930901820"),
        ("phone", "+49 (0)30 901820"),
        ("phone", "0049 30 901820"),
        ("phone", "+1 (212) 555-1234"),
        ("phone", "(212) 555-1234"),
        ("phone", "212-555-1234"),
        ("phone", "1-212-555-1234"),
        ("phone", "416-967-1111"),
        ("phone", "030/901820"),
        ("phone", "(030) 901820"),
        ("phone", "0171 1234567"),
        ("phone", "020 7946 0958"),
        ("phone", "01 23 45 67 89"),
        ("phone", "+49\u00a030\u00a0901820"),
        ("phone", "+٤٩ ٣٠ ٩٠١٨٢٠"),
        ("ip", "203.0.113.7"),
        ("ip", "2001:db8::8a2e:370:7334"),
        ("ip", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
        ("ip", "fd12:3456:789a::1"),
        ("jwt", JWT),
        ("jwt", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4In0..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rp.XFBoMYUZodetZdvTiFvSkQ"),
        ("secret", "sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t"),
        ("secret", "sk_live_" + "a1B2" * 6),
        ("secret", "AKIAIOSFODNN7EXAMPLE"),
        ("secret", "ghp_" + "a1B2" * 9),
        ("secret", "xoxb-123456789012-abcdefABCDEF"),
        ("secret", "AIza" + "SyA1b" * 7),
        ("secret", "glpat-" + "a1B2c" * 4),
        ("secret", "Bearer abcdef0123456789abcd"),
        ("secret", "tm_ingest_" + "a1B2" * 9),
        ("secret", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
        ("party", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("party", "alice-1::1220" + HEX * 4),
        ("address", "221B Baker Street"),
        ("address", "350 5th Ave."),
        ("address", "Musterstraße 12a"),
        ("address", "12 rue de Rivoli"),
    ],
)  # fmt: skip
def test_what_is_found(kind: str, text: str) -> None:
    for around in ("it is {}, thanks", "{}", "\n{}\n", "({})", '"{}"', "{}; {}"):
        said = around.format(*[text] * around.count("{}"))
        assert find({"note": said}) == [Finding("note", kind)], said
        kept = around.format(*[f"[{kind}]"] * around.count("{}"))
        assert redacted(said).replace("].", "]") == kept
        assert suspicious(json.dumps({"note": said}).encode())
        assert suspicious(json.dumps({"note": said}, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "text",
    [
        "me@home", "@handle", "icon@2x.png", "vue@3.4.21", "git@github.com:acme/x.git", "4111 1111 1111 1112",
        "1111 1111 1111 1117",
        "4444 4444 4444 4444", "20260501123456789", "0.4242424242424242", "DE00 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 0130",
        "000-12-3456", "666-12-3456", "536-00-8726", "901-22-8726", "1536-22-8726", "eyJ.eyJ.x", "",
        "2026-05-01T12:34:56Z",
        "21 03 2015 06 38", "+62.7143-83.7294/", "UTC+02:00", "+1234567890", "000-000-0000", "1.2.3.4", "127.0.0.1",
        "10.0.0.0/8",
        "120.0.6099.109", "Chrome/120.0.0.0", "v11.2.3.44", "build 10.20.30.40", "1.3.6.1.4.1.311",
        "12:34:56:78:9a:bc", "std::vector",
        "::1", "fe80::1", "2001:db8::", "0x" + HEX * 4, HEX * 4, "sk-fading-circle-delayed-start",
        "Bearer of good news",
        "10 Great Road Trips", "2024 Baker Street", "Parkplatz 12", "a path like /0171/1234567",
        "https://x.example/@me/a.b",
    ],
)  # fmt: skip
def test_what_is_left_alone(text: str) -> None:
    assert find({"note": text}) == []
    assert redacted(text) == text


def test_a_find_behind_one_that_is_none_is_found() -> None:
    assert redacted("2235 4111 1111 1111 1111") == "2235 [card]"
    assert redacted("BE68 5390 0754 7034 KBC") == "[iban] KBC"
    assert redacted("see icon@2x.png of ada@example.org") == "see icon@2x.png of [email]"


def test_a_finding_says_where_and_never_what() -> None:
    properties = {"a": {"b": ["x", {"c": "a@b.org c@d.org"}]}, "z@b.org": {"ip": "192.0.2.7"}, "n": 5, "none": None}
    assert find(properties) == [Finding("a.b[1].c", "email"), Finding("[email]", "email"), Finding("[email].ip", "ip")]
    clean = {"a": {"b": ["x", {"c": "[email] [email]"}]}, "[email]": {"ip": "[ip]"}, "n": 5, "none": None}
    assert redacted(properties) == clean


def test_numbers_are_looked_at_as_their_digits() -> None:
    assert redacted({"n": 4242424242424242}) == {"n": "[card]"}
    assert redacted({"n": 4242424242424242.0, "x": 1e300, "y": float("inf")}) == {
        "n": "[card]", "x": 1e300, "y": float("inf"),
    }  # fmt: skip
    assert redacted({"phone": 301234567, "cvv": 123, "age": 42}) == {"phone": "[phone]", "cvv": "[card]", "age": 42}


@pytest.mark.parametrize("name", ["orderId", "sequence", "trace_id", "durationNs", "bytes"])
def test_digits_in_a_row_are_no_card_under_names_of_ids_and_quantities(name: str) -> None:
    assert find({name: 4242424242424242}) == find({name: "4242424242424242"}) == []
    assert find({name: "4242 4242 4242 4242"}) == [Finding(name, "card")]


def test_a_card_is_no_version() -> None:
    assert (
        find({"sdkVersion": "4111111111111111"})
        == find({"sdkVersion": 4111111111111111})
        == [Finding("sdkVersion", "card")]
    )


@pytest.mark.parametrize("name", ["version", "appVersion", "sdk", "host", "server"])
def test_what_looks_like_an_address_is_none_under_names_of_versions_and_servers(name: str) -> None:
    assert find({name: "203.0.113.7"}) == []
    assert find({"note": f"{name} 203.0.113.7"}) == (
        [] if "ersion" in name or name == "sdk" else [Finding("note", "ip")]
    )


def test_escaped_forms_are_redacted_whole_and_the_rest_is_as_sent() -> None:
    assert redacted("/u/ä%20b/anna%2540example.org?x=%C3%BC") == "/u/ä%20b/[email]?x=%C3%BC"
    assert redacted("https%3A%2F%2F203.0.113.7%2Fx") == "https%3A%2F%2F[ip]%2Fx"
    assert redacted(f"{wide('to')} {wide('a@b.org')}") == f"{wide('to')} [email]"


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a":"anna\u0040example.org"}', rb'{"a":"\u0061nna\u0040example\u002eorg"}',
        rb'{"a":"card:\n4242424242424242"}',
        rb'{"a":"\ud835\udfd24242424242424242"}', rb'{"\u0065mail":"a\u0040b"}', rb'{"a":"\uff41\uff20\uff42.org"}',
        rb'{"first\u004eame":"Ada"}', rb'{"firstName":"\"Ada\""}', rb'{"a":"{\"firstName\":\"Ada\"}"}',
    ],
)  # fmt: skip
def test_the_scan_of_a_body_sees_through_its_escapes(body: bytes) -> None:
    assert suspicious(body)
    assert find(json.loads(body))


def test_a_column_is_cleaned_as_its_texts_are() -> None:
    assert cleaned(["/a", "/u/ada%40example.org", ""]) == ["/a", "/u/[email]", ""]
    assert cleaned(["203.0.113.7", "x.example"], "host") == ["203.0.113.7", "x.example"]
    assert cleaned([]) == []


def test_everything_that_is_generated_is_found_and_gone() -> None:
    """All but a few: a number that its country does not give out, a street that goes on like a title."""
    samples = [sample for sample in personal_data.samples(20, seed=5) if not sample.hard]
    missed = [
        sample.family
        for sample in samples
        if sample.kind not in {finding.kind for finding in find(sample.properties)}
        or sample.value in json.dumps(redacted(sample.properties), ensure_ascii=False)
        or not suspicious(sample.body)
    ]
    assert len(samples) > 600
    assert len(missed) < 0.02 * len(samples), missed


PIECES = "4242,1, ,-,.,+,@,a.b,/,%40,%25,40,[,],(,),=,&,?,firstName,email,:,\",',0,12,::,fd00,2001"
values = st.builds(
    lambda sample: sample.value, st.integers(0, 10**6).map(lambda seed: next(personal_data.samples(1, seed)))
) | st.sampled_from([sample.value for sample in personal_data.samples(2, seed=9)])
names = st.sampled_from([
    "email", "userPhone", "first_name", "card", "number", "customer", "name", "address", "street", "dob", "ip",
    "password", "v",
    "note", "id", "version", "contact[phone]", "user.email", wide("email"), "phone 2", "x-api-key",
])  # fmt: skip
texts = st.one_of(
    st.text(max_size=30), st.emails(), values, st.lists(values | st.text(max_size=5), max_size=4).map(" ".join),
    st.lists(st.sampled_from(PIECES.split(","))).map("".join),
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
properties_of_any_kind = st.dictionaries(names | st.text(max_size=8), json_values, max_size=3)


@given(properties_of_any_kind)
def test_what_is_redacted_holds_nothing_any_more(properties: dict[str, Any]) -> None:
    once = redacted(properties)
    assert find(once) == []
    assert redacted(once) == once


@given(properties_of_any_kind, st.booleans())
def test_a_body_with_a_find_is_suspicious(properties: dict[str, Any], ascii_only: bool) -> None:
    if find(properties):
        assert suspicious(json.dumps([{"event": "x", "properties": properties}], ensure_ascii=ascii_only).encode())


@given(texts)
def test_what_is_left_was_there(text: str) -> None:
    """Redacting takes away and puts in kinds, and nothing else."""
    rest = text
    for piece in redacted(text).replace("[", "\0[").replace("]", "]\0").split("\0"):
        if not piece.startswith("[") and piece:
            assert piece in rest
            rest = rest[rest.index(piece) + len(piece) :]


def test_of_a_million_times_in_milliseconds_none_is_a_card() -> None:
    """One in ten has the check digit of a card; they are scanned as the bodies they come in."""
    chance = random.Random(1)
    for _ in range(20):
        times = [chance.randrange(946_684_800_000, 4_102_444_800_000) for _ in range(50_000)]
        assert not suspicious(json.dumps({"events": times}).encode())
    sample = random.Random(2).sample(times, 1_000)
    assert find({"at": sample, "n": [str(time) for time in sample]}) == []


@pytest.mark.parametrize(
    "name",
    [
        "confirmPassword",
        "password_confirmation",
        "db_password",
        "aws_secret_access_key",
        "stripeSecretKey",
        "_password",
    ],
)
def test_secrets_tell_whosever_they_are(name: str) -> None:
    assert [found.kind for found in find({name: "correct horse"})] == ["secret"]
    assert suspicious(msgspec.json.encode({name: "correct horse"}))


@pytest.mark.parametrize("name", ["fullName[]", "_fullName", "person[fullName]"])
def test_names_of_forms_tell(name: str) -> None:
    assert [found.kind for found in find({name: "Ada Lovelace"})] == ["name"]
    assert suspicious(msgspec.json.encode({name: "Ada Lovelace"}))


@pytest.mark.parametrize("dot", ["\u3002", "\uff61", "\u2024", "\uff0e"])
def test_dots_of_other_scripts_are_dots(dot: str) -> None:
    assert [found.kind for found in find({"a": f"ada@example{dot}org"})] == ["email"]


@pytest.mark.parametrize(
    "text",
    [
        "root@web0prod", "celery@worker0main", "svc@db2primary", "job@k8s0main", "git@code.example:team/shop.git",
        "1 TB Drive", "Seagate 2 TB External Hard Drive", "64 GB Flash Drive", "4 Wheel Drive", "Blu-ray 3 Disc Drive",
        "1 Carat Ct", "7 Eleven Rd",
    ],
)  # fmt: skip
def test_machines_and_goods_are_nobody(text: str) -> None:
    assert find({"title": text}) == []
