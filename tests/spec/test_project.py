"""Projects as the public JSON has them: what is taken, what is refused and how it is said."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import BadRequest
from tallymark.spec.project import (
    Project,
    ProjectDraft,
    parse_change,
    parse_draft,
    public,
    retention_text,
)

PACKS: dict[str, dict[str, object]] = {
    "web": {},
    "quiz": {"retention": "24h", "maxEventNames": 50},
    "sdk": {"retention": "7d", "pii": "reject"},
}
FULL = {
    "name": "site",
    "packs": ["web"],
    "timezone": "Europe/Berlin",
    "retention": "24h",
    "pii": "allow",
    "bots": "refuse",
    "quota": 1_000,
    "eventNames": ["page_view", "wallet_*"],
    "maxEventNames": 9,
    "publicSummary": False,
}


def test_a_name_is_enough() -> None:
    assert parse_draft({"name": "site"}, PACKS) == ProjectDraft("site", (), "UTC", 90 * 24, "redact", "mark", None)


def test_every_field_is_taken() -> None:
    assert parse_draft(FULL, PACKS) == ProjectDraft(
        "site", ("web",), "Europe/Berlin", 24, "allow", "refuse", 1_000, ("page_view", "wallet_*"), 9, False
    )


def test_a_pack_named_twice_is_enabled_once() -> None:
    assert parse_draft({"name": "a", "packs": ["web", "quiz", "web"]}, PACKS).packs == ("web", "quiz")


@pytest.mark.parametrize(
    ("body", "retention_hours", "pii", "max_event_names"),
    [
        ({}, 90 * 24, "redact", None),
        ({"packs": ["web"]}, 90 * 24, "redact", None),
        ({"packs": ["quiz"]}, 24, "redact", 50),
        ({"packs": ["web", "sdk"]}, 7 * 24, "reject", None),
        ({"packs": ["quiz", "sdk"]}, 24, "reject", 50),
        ({"packs": ["sdk", "quiz"]}, 7 * 24, "reject", 50),
        ({"packs": ["sdk", "quiz"], "retention": "3d", "pii": "allow"}, 3 * 24, "allow", 50),
        ({"packs": ["quiz"], "maxEventNames": None}, 24, "redact", None),
    ],
)
def test_a_new_project_has_what_the_first_of_its_packs_asks_for_unless_it_says_otherwise(
    body: dict[str, Any], retention_hours: int, pii: str, max_event_names: int | None
) -> None:
    draft = parse_draft({"name": "a", **body}, PACKS)
    assert (draft.retention_hours, draft.pii, draft.max_event_names) == (retention_hours, pii, max_event_names)


def test_a_project_that_gets_a_pack_keeps_its_fields() -> None:
    assert parse_change({"packs": ["quiz"]}, PACKS) == {"packs": ("quiz",)}


def test_a_name_of_events_that_is_given_twice_is_kept_once() -> None:
    assert parse_draft({"name": "a", "eventNames": ["b", "a*", "b"]}, PACKS).event_names == ("b", "a*")


@pytest.mark.parametrize(
    ("retention", "hours"), [("90d", 2_160), ("24h", 24), (90, 2_160), ("1h", 1), ("3650d", 87_600), (1, 24)]
)
def test_retention(retention: object, hours: int) -> None:
    assert parse_draft({"name": "a", "retention": retention}, PACKS).retention_hours == hours


@pytest.mark.parametrize(("hours", "text"), [(24, "1d"), (2_160, "90d"), (36, "36h"), (1, "1h")])
def test_retention_is_written_in_days_where_it_can_be(hours: int, text: str) -> None:
    assert retention_text(hours) == text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Site"),
        ("name", "-site"),
        ("name", "a" * 65),
        ("name", "a\n"),
        ("name", None),
        ("name", 7),
        ("packs", "web"),
        ("packs", ["shop"]),
        ("packs", [["web"]]),
        ("timezone", "Berlin/Europe"),
        ("timezone", "../UTC"),
        ("timezone", "localtime"),
        ("timezone", None),
        ("retention", "0h"),
        ("retention", 0),
        ("retention", -1),
        ("retention", "3651d"),
        ("retention", "90"),
        ("retention", "1.5d"),
        ("retention", "1d\n"),
        ("retention", "٣d"),
        ("retention", True),
        ("retention", 1.0),
        ("retention", None),
        ("pii", "hash"),
        ("pii", ["allow"]),
        ("bots", None),
        ("quota", -1),
        ("quota", True),
        ("quota", 2.5),
        ("quota", 10**16),
        ("quota", "1"),
        ("eventNames", "page_view"),
        ("eventNames", []),
        ("eventNames", [""]),
        ("eventNames", [" \n"]),
        ("eventNames", ["a", 1]),
        ("eventNames", ["a", None]),
        ("eventNames", ["a" * 201]),
        ("eventNames", ["a"] * 1_001),
        ("eventNames", {"a": 1}),
        ("maxEventNames", 0),
        ("maxEventNames", -1),
        ("maxEventNames", True),
        ("maxEventNames", 1.5),
        ("maxEventNames", "9"),
        ("maxEventNames", 100_001),
        ("publicSummary", None),
        ("publicSummary", 1),
        ("publicSummary", "true"),
        ("colour", "red"),
    ],
)
def test_a_bad_value_names_its_field_and_what_is_allowed(field: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_draft({"name": "site", field: value}, PACKS)
    assert caught.value.field == field
    assert caught.value.allowed
    assert len(caught.value.message) < 160


def test_a_project_needs_a_name() -> None:
    with pytest.raises(BadRequest, match="needs a name") as caught:
        parse_draft({}, PACKS)
    assert caught.value.field == "name"


@pytest.mark.parametrize("body", [None, [], "site", 1])
def test_a_project_is_an_object(body: object) -> None:
    with pytest.raises(BadRequest, match="JSON object"):
        parse_draft(body, PACKS)


def test_a_mistyped_zone_is_answered_with_its_neighbours() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_draft({"name": "a", "timezone": "Europe/Berlim"}, PACKS)
    assert "Europe/Berlin" in (caught.value.allowed or [])


def test_a_change_has_only_what_was_given() -> None:
    assert parse_change({}, PACKS) == {}
    assert parse_change({"quota": None, "retention": "1d"}, PACKS) == {"quota": None, "retention_hours": 24}
    with pytest.raises(BadRequest):
        parse_change({"id": 7}, PACKS)
    free = {"eventNames": None, "maxEventNames": None}
    assert parse_change(free, PACKS) == {"event_names": None, "max_event_names": None}


def test_the_public_shape() -> None:
    made = datetime(2026, 3, 4, 6, 6, 7, 891_234, tzinfo=ZoneInfo("Europe/Berlin"))
    project = Project(3, "site", ("web",), "Europe/Berlin", 2_160, "redact", "mark", None, made, ("a", "b*"), 9, False)
    assert public(project) == {
        "id": 3,
        "name": "site",
        "packs": ["web"],
        "timezone": "Europe/Berlin",
        "retention": "90d",
        "pii": "redact",
        "bots": "mark",
        "quota": None,
        "eventNames": ["a", "b*"],
        "maxEventNames": 9,
        "publicSummary": False,
        "createdAt": "2026-03-04T05:06:07.891Z",
    }


@given(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True).filter(lambda name: not name.isdigit())},
        optional={
            "packs": st.lists(st.sampled_from(sorted(PACKS)), unique=True),
            "retention": st.integers(1, 87_600).map(retention_text),
            "quota": st.none() | st.integers(0, 10**15),
            "eventNames": st.none() | st.lists(st.text(min_size=1).filter(str.strip), min_size=1, unique=True),
            "maxEventNames": st.none() | st.integers(1, 1_000),
            "publicSummary": st.booleans(),
        },
    )
)
def test_what_is_shown_can_be_sent_again(body: dict[str, Any]) -> None:
    draft = parse_draft(body, PACKS)
    project = Project(1, **vars(draft), created_at=datetime(2026, 1, 1, tzinfo=UTC))
    shown: dict[str, object] = {**public(project)}
    del shown["id"], shown["createdAt"]
    assert parse_draft(shown, PACKS) == draft


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_no_value_is_a_surprise(value: object) -> None:
    for field in FULL:
        try:
            parse_change({field: value}, PACKS)
        except BadRequest as error:
            assert error.field == field  # noqa: PT017  # a value may also be good
