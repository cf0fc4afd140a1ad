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

PACKS = {"web", "quiz"}
FULL = {
    "name": "site",
    "packs": ["web"],
    "timezone": "Europe/Berlin",
    "retention": "24h",
    "pii": "allow",
    "bots": "refuse",
    "quota": 1_000,
}


def test_a_name_is_enough() -> None:
    assert parse_draft({"name": "site"}, PACKS) == ProjectDraft("site", (), "UTC", 90 * 24, "redact", "mark", None)


def test_every_field_is_taken() -> None:
    assert parse_draft(FULL, PACKS) == ProjectDraft("site", ("web",), "Europe/Berlin", 24, "allow", "refuse", 1_000)


def test_a_pack_named_twice_is_enabled_once() -> None:
    assert parse_draft({"name": "a", "packs": ["web", "quiz", "web"]}, PACKS).packs == ("web", "quiz")


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


def test_the_public_shape() -> None:
    made = datetime(2026, 3, 4, 6, 6, 7, 891_234, tzinfo=ZoneInfo("Europe/Berlin"))
    project = Project(3, "site", ("web",), "Europe/Berlin", 2_160, "redact", "mark", None, made)
    assert public(project) == {
        "id": 3,
        "name": "site",
        "packs": ["web"],
        "timezone": "Europe/Berlin",
        "retention": "90d",
        "pii": "redact",
        "bots": "mark",
        "quota": None,
        "createdAt": "2026-03-04T05:06:07.891Z",
    }


@given(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True).filter(lambda name: not name.isdigit())},
        optional={
            "packs": st.lists(st.sampled_from(sorted(PACKS)), unique=True),
            "retention": st.integers(1, 87_600).map(retention_text),
            "quota": st.none() | st.integers(0, 10**15),
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
