"""The store of people: captured once, linked, subscribed and erased; and what the files hold of them."""

import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tallymark.access.vault import Vault
from tallymark.control.captures import CaptureDraft, Unrecorded
from tallymark.control.consents import Consent, ConsentDraft, State, Unsubscribe
from tallymark.control.database import Database, open_database
from tallymark.control.links import Link, LinkDraft, UncertainLead
from tallymark.control.people import Erased, People
from tallymark.control.projects import Projects
from tallymark.spec.project import ProjectDraft
from tests.control.dialects import ON_POSTGRESQL, ON_SQLITE

ADA, BOB = "ad" * 32, "b0" * 32
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROJECT, ELSEWHERE = 1, 2


def event(new: bool) -> str:
    """The event of a capture."""
    return f'{{"new": {str(new).lower()}}}'


def draft(identity: str, email_hash: str = ADA, **fields: object) -> CaptureDraft:
    """A form with an address, at noon, without a visitor."""
    sealed = f"sealed {identity}".encode()
    origins = ("0" * 15 + "1", "0" * 15 + "2")
    plain = CaptureDraft(PROJECT, email_hash, sealed, "", origins, "signup", identity, None, event, (), NOON)
    return replace(plain, **fields)  # type: ignore[arg-type]


def marketing(state: State, at: datetime = NOON, subject: str = ADA) -> ConsentDraft:
    """What someone says of marketing in a form."""
    return ConsentDraft(PROJECT, subject, "marketing", state, "form", "2026-01", at)


@pytest.fixture
def people(database: Database) -> People:
    for name in ("site", "shop"):
        Projects(database).create(ProjectDraft(name))
    return People(database)


def said_once(people: People, draft: ConsentDraft) -> Consent:
    """What one draft becomes."""
    (made,) = people.consent([draft], "", "", trusted=False)
    return made


def count(database: Database, table: str) -> int:
    with database.read() as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


def test_a_form_makes_a_lead(people: People) -> None:
    made = people.capture(draft("1", actor="a" * 16, payload_sealed=b"fields", consents=(marketing("granted"),)))
    assert (made.new, made.repeated, made.outbox) == (True, False, '{"new": true}')
    (lead,) = people.leads(PROJECT, 10)
    assert (lead.id, lead.project_id, lead.email_hash, lead.email_sealed) == (made.lead_id, PROJECT, ADA, b"sealed 1")
    assert (lead.actor, lead.origins) == ("a" * 16, ("0" * 15 + "1", "0" * 15 + "2"))
    assert lead.first_captured_at == lead.last_captured_at == NOON
    person = people.person(PROJECT, ADA)
    assert person is not None
    (submission,) = person.submissions
    assert (submission.id, submission.identity, submission.form) == (made.submission_id, "1", "signup")
    assert (submission.payload_sealed, submission.submitted_at, submission.new_lead) == (b"fields", NOON, True)
    assert person.links == (Link(lead.id, "a" * 16, "direct", 0.4, NOON),)
    assert [(c.state, c.source, c.policy) for c in person.consents] == [("granted", "form", "2026-01")]


def test_another_form_of_the_same_address_is_the_same_lead(people: People) -> None:
    first = people.capture(draft("1", actor="a" * 16))
    later = people.capture(draft("2", at=NOON + HOUR, origins=("", "")))
    assert (later.lead_id, later.new, later.outbox) == (first.lead_id, False, '{"new": false}')
    (lead,) = people.leads(PROJECT, 10)
    assert (lead.first_captured_at, lead.last_captured_at) == (NOON, NOON + HOUR)
    assert (lead.email_sealed, lead.actor, lead.origins) == (b"sealed 2", "a" * 16, ("", ""))


def test_projects_share_nothing(people: People) -> None:
    here = people.capture(draft("1"))
    there = people.capture(draft("1", project_id=ELSEWHERE))
    assert (there.new, there.repeated, there.lead_id) == (True, False, 2)
    assert [lead.id for lead in people.leads(PROJECT, 10)] == [here.lead_id]
    people.erase(PROJECT, ADA, NOON)
    assert people.person(ELSEWHERE, BOB) is None
    assert [lead.id for lead in people.leads(ELSEWHERE, 10)] == [there.lead_id]


def test_a_retry_after_a_crash_gets_the_event_that_is_missing(database: Database, people: People) -> None:
    made = people.capture(draft("1", consents=(marketing("granted"),)))
    # The process dies here, before the event is written; the browser sends the form again.
    again = people.capture(draft("1", email_hash=BOB, actor="a" * 16, form="other", at=NOON + HOUR))
    assert again == replace(made, repeated=True, consents={})
    assert [count(database, table) for table in ("leads", "form_submissions", "consent_log", "links")] == [1, 1, 1, 0]
    people.recorded(made.submission_id)
    assert people.capture(draft("1")) == replace(made, repeated=True, outbox=None, consents={})


def test_a_capture_that_fails_leaves_nothing(database: Database, people: People) -> None:
    def fail(new: bool) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        people.capture(draft("1", outbox=fail, consents=(marketing("granted"),)))
    with pytest.raises(IntegrityError):
        people.capture(draft("1", consents=(marketing("perhaps"),)))  # type: ignore[arg-type]
    assert [count(database, table) for table in ("leads", "form_submissions", "consent_log")] == [0, 0, 0]
    assert people.capture(draft("1")).new


def test_of_many_at_once_one_is_new(database: Database, people: People) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: people.capture(draft(str(i // 2), actor="a" * 16)), range(16)))
    assert sum(not one.repeated for one in made) == 8
    assert sum(one.new and not one.repeated for one in made) == 1
    assert [count(database, table) for table in ("leads", "form_submissions", "links")] == [1, 8, 1]


MOMENTS = st.tuples(st.integers(0, 50), st.integers(0, 50))
EACH_ONCE = (lambda moment: moment[0], lambda moment: moment[1])


@settings(max_examples=25)
@given(st.lists(MOMENTS, min_size=1, max_size=8, unique_by=EACH_ONCE))
def test_in_whatever_order_forms_come_the_lead_is_the_same(moments: list[tuple[int, int]]) -> None:
    drafts = [draft(str(name), at=NOON + at * HOUR, origins=(str(at), "")) for name, at in moments]
    with TemporaryDirectory() as directory:
        database = open_database(f"sqlite:///{directory}/control.db")
        Projects(database).create(ProjectDraft("site"))
        people = People(database)
        made = [people.capture(one) for one in drafts]
        assert [people.capture(one) for one in drafts] == [replace(one, repeated=True) for one in made]
        (lead,) = people.leads(PROJECT, 10)
        assert count(database, "form_submissions") == len(drafts)
        database.close()
    assert [one.new for one in made] == [True] + [False] * (len(drafts) - 1)
    last = max(drafts, key=lambda one: one.at)
    assert (lead.first_captured_at, lead.last_captured_at) == (min(one.at for one in drafts), last.at)
    assert (lead.email_sealed, lead.origins) == (last.email_sealed, last.origins)


def test_events_that_wait_are_listed_oldest_first(people: People) -> None:
    late, early, other = (
        people.capture(draft("late", at=NOON + HOUR)),
        people.capture(draft("early")),
        people.capture(draft("other", project_id=ELSEWHERE, at=NOON + 2 * HOUR)),
    )
    waiting = people.unrecorded(NOON + 3 * HOUR, 10)
    assert waiting[0] == Unrecorded(early.submission_id, PROJECT, '{"new": false}')
    assert [one.submission_id for one in waiting] == [made.submission_id for made in (early, late, other)]
    assert people.unrecorded(NOON + 3 * HOUR, 1) == waiting[:1]
    assert people.unrecorded(NOON + HOUR, 10) == waiting[:1]
    for one in waiting:
        people.recorded(one.submission_id)
    assert people.unrecorded(NOON + 3 * HOUR, 10) == ()
    people.recorded(99)


def test_the_last_word_on_a_purpose_counts(people: People) -> None:
    said: list[State] = ["granted", "withdrawn", "denied"]
    made = [said_once(people, marketing(state, NOON + n * HOUR)) for n, state in enumerate(said)]
    late = said_once(people, marketing("granted", NOON - HOUR))
    other = said_once(people, ConsentDraft(PROJECT, ADA, "analytics", "granted", "api", "", NOON))
    assert people.latest_consent(PROJECT, ADA, "marketing") == made[-1]
    assert people.consents(PROJECT, ADA) == (late, made[0], other, *made[1:])
    same = said_once(people, marketing("granted", NOON + 2 * HOUR))
    assert people.latest_consent(PROJECT, ADA, "marketing") == same
    assert people.latest_consent(PROJECT, BOB, "marketing") is None
    assert people.latest_consent(ELSEWHERE, ADA, "marketing") is None
    assert people.consents(ELSEWHERE, ADA) == ()


CHANGES = [
    "UPDATE consent_log SET policy = ''",
    "DELETE FROM consent_log",
    "REPLACE INTO consent_log SELECT * FROM consent_log",
]


@ON_SQLITE
@pytest.mark.parametrize("statement", CHANGES)
def test_the_consent_log_only_grows(tmp_path: Path, people: People, statement: str) -> None:
    made = said_once(people, marketing("granted"))
    with (
        closing(sqlite3.connect(tmp_path / "control.db")) as connection,
        pytest.raises(sqlite3.IntegrityError, match="consent_log is append-only"),
    ):
        connection.execute(statement)
    assert people.consents(PROJECT, ADA) == (made,)


@ON_POSTGRESQL
@pytest.mark.parametrize("statement", ["UPDATE consent_log SET policy = ''", "DELETE FROM consent_log"])
def test_the_consent_log_of_a_server_only_grows(database: Database, people: People, statement: str) -> None:
    made = said_once(people, marketing("granted"))
    with pytest.raises(DBAPIError, match="consent_log is append-only"), database.write() as session:
        session.execute(text(statement))
    assert people.consents(PROJECT, ADA) == (made,)


def test_whoever_unsubscribes_gets_no_mail(people: People) -> None:
    assert people.unsubscribed(PROJECT, ADA) is None
    assert people.unsubscribe(PROJECT, ADA, "unsubscribe", NOON)
    assert not people.unsubscribe(PROJECT, ADA, "api", NOON + HOUR)
    assert people.unsubscribed(PROJECT, ADA) == NOON
    assert people.unsubscribed(ELSEWHERE, ADA) is people.unsubscribed(PROJECT, BOB) is None
    assert [(c.purpose, c.state, c.source) for c in people.consents(PROJECT, ADA)] == [
        ("marketing", "withdrawn", "unsubscribe")
    ]
    person = people.person(PROJECT, ADA)
    assert person is not None
    assert (person.lead, person.unsubscribe) == (None, Unsubscribe(NOON, "unsubscribe"))


@pytest.mark.parametrize(
    ("consents", "lifted"),
    [
        ((), False),
        ((marketing("granted", NOON + HOUR),), True),
        ((marketing("granted", NOON - HOUR),), False),
        ((marketing("denied", NOON + HOUR),), False),
        ((marketing("granted", NOON + HOUR, BOB),), False),
        ((replace(marketing("granted", NOON + HOUR), purpose="analytics"),), False),
        ((replace(marketing("granted", NOON + HOUR), project_id=ELSEWHERE),), False),
    ],
)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_form_that_asks_for_mail_lifts_an_unsubscribe(
    people: People, consents: tuple[ConsentDraft, ...], lifted: bool, trusted: bool
) -> None:
    for project in (PROJECT, ELSEWHERE):
        people.unsubscribe(project, ADA, "unsubscribe", NOON)
    people.capture(draft("1", consents=consents, at=NOON + HOUR, trusted=trusted))
    lifted = lifted and trusted
    assert (people.unsubscribed(PROJECT, ADA) is None) == lifted
    assert people.unsubscribed(ELSEWHERE, ADA) == NOON
    assert people.unsubscribe(PROJECT, ADA, "unsubscribe", NOON + 2 * HOUR) == lifted


def test_the_api_lifts_no_unsubscribe(people: People) -> None:
    people.unsubscribe(PROJECT, ADA, "unsubscribe", NOON)
    said_once(people, marketing("granted", NOON + HOUR))
    assert people.unsubscribed(PROJECT, ADA) == NOON


def test_leads_whose_visitor_is_unknown(people: People) -> None:
    known = people.capture(draft("1", actor="a" * 16, trusted=True))
    new, old = people.capture(draft("2", BOB, at=NOON + HOUR)), people.capture(draft("3", "c0" * 32, at=NOON - HOUR))
    assert None not in (known.lead_id, new.lead_id, old.lead_id)
    assert [lead.id for lead in people.uncertain(NOON - HOUR)] == [old.lead_id, new.lead_id]
    (lead,) = people.uncertain(NOON)
    assert lead == UncertainLead(new.lead_id or 0, PROJECT, ("0" * 15 + "1", "0" * 15 + "2"), NOON + HOUR)
    people.link([LinkDraft(lead.id, "b" * 16, 0.5, NOON)])
    assert people.uncertain(NOON) == (lead,)
    people.capture(draft("4", BOB, actor="b" * 16))
    assert people.uncertain(NOON) == (replace(lead, claimed=frozenset({"b" * 16})),)
    people.link([LinkDraft(lead.id, "b" * 16, 1.0, NOON, "direct")])
    assert people.uncertain(NOON) == ()


def links(people: People) -> dict[str, tuple[str, float, datetime]]:
    person = people.person(PROJECT, ADA)
    assert person is not None
    return {link.actor: (link.kind, link.confidence, link.at) for link in person.links}


def test_guesses_change_and_what_is_known_does_not(people: People) -> None:
    lead = people.capture(draft("1", actor="a" * 16, trusted=True)).lead_id or 0
    people.link([LinkDraft(lead, actor * 16, 0.5, NOON + HOUR) for actor in "abc"])
    people.link([LinkDraft(lead, "b" * 16, 0.8, NOON + 2 * HOUR), LinkDraft(99, "b" * 16, 0.8, NOON)])
    people.link([])
    known = ("direct", 1.0, NOON)
    guessed = ("heuristic", 0.5, NOON + HOUR)
    assert links(people) == {"a" * 16: known, "b" * 16: ("heuristic", 0.8, NOON + 2 * HOUR), "c" * 16: guessed}
    for identity in "23":
        people.capture(draft(identity, actor="c" * 16, at=NOON + int(identity) * HOUR))
    assert links(people)["c" * 16] == ("direct", 0.4, NOON + 2 * HOUR)
    people.link([LinkDraft(lead, actor * 16, 0.7, NOON, "direct") for actor in "bcd"])
    assert links(people) == {
        "a" * 16: known,
        "b" * 16: ("heuristic", 0.8, NOON + 2 * HOUR),
        "c" * 16: ("direct", 0.7, NOON + 2 * HOUR),
    }


def test_a_guess_is_no_surer_than_sure(people: People) -> None:
    lead = people.capture(draft("1")).lead_id or 0
    with pytest.raises(IntegrityError):
        people.link([LinkDraft(lead, "a" * 16, 0.5, NOON), LinkDraft(lead, "b" * 16, 1.1, NOON)])
    assert links(people) == {}


def test_a_person_has_what_their_visitors_said(people: People) -> None:
    assert people.person(PROJECT, ADA) is None
    lead = people.capture(draft("1", actor="a" * 16, trusted=True)).lead_id or 0
    people.link([LinkDraft(lead, "b" * 16, 0.9, NOON)])
    for visitor in "abc":
        said_once(people, marketing("denied", subject=f"v:{visitor * 16}"))
    person = people.person(PROJECT, ADA)
    assert person is not None
    assert [consent.subject for consent in person.consents] == ["v:" + "a" * 16]
    assert person.lead == people.leads(PROJECT, 1)[0]


def test_a_visitor_of_several_leads_is_shared(people: People) -> None:
    for identity, email_hash in (("1", ADA), ("2", BOB)):
        people.capture(draft(identity, email_hash, actor="a" * 16, trusted=True))
    people.capture(draft("3", actor="b" * 16))
    people.capture(draft("1", project_id=ELSEWHERE, actor="b" * 16))
    said_once(people, marketing("denied", subject="v:" + "a" * 16))
    person = people.person(PROJECT, ADA)
    assert person is not None
    assert [(link.actor[0], link.shared, link.theirs) for link in person.links] == [
        ("a", True, False),
        ("b", False, False),
    ]
    assert person.consents == ()
    people.erase(PROJECT, BOB, NOON)
    person = people.person(PROJECT, ADA)
    assert person is not None
    assert [link.theirs for link in person.links] == [True, False]
    assert len(person.consents) == 1


def test_a_form_that_comes_again_changes_consents_alone(people: People) -> None:
    def said(state: State, **fields: Any) -> tuple[Mapping[str, State], int]:
        made = people.capture(draft("1", consents=(marketing(state, NOON + HOUR),), **fields))
        return made.consents, len(people.consents(PROJECT, ADA))

    people.capture(draft("1", consents=(marketing("granted"),)))
    assert said("granted") == ({"marketing": "granted"}, 1)
    assert said("denied") == said("denied") == ({"marketing": "denied"}, 2)
    said_once(people, marketing("granted", NOON + 2 * HOUR))
    assert said("denied") == ({"marketing": "granted"}, 4)  # what was said later stands
    assert people.identities(PROJECT, besides=0) == ("1",)
    assert people.identities(PROJECT, besides=1) == people.identities(ELSEWHERE, besides=0) == ()


def test_an_erased_lead_is_gone(database: Database, people: People) -> None:
    people.capture(draft("1", actor="a" * 16, consents=(marketing("granted"),)))
    people.capture(draft("2", actor="b" * 16))
    people.capture(draft("3", BOB))
    people.unsubscribe(PROJECT, ADA, "unsubscribe", NOON)
    assert people.erase(ELSEWHERE, ADA, NOON) is None
    assert people.erase(PROJECT, ADA, NOON + HOUR) == Erased(submissions=2, links=2)
    assert people.erase(PROJECT, ADA, NOON + HOUR) is None
    assert [lead.email_hash for lead in people.leads(PROJECT, 10)] == [BOB]
    assert [count(database, table) for table in ("leads", "form_submissions", "links")] == [1, 1, 0]
    person = people.person(PROJECT, ADA)
    assert person is not None
    assert (person.lead, person.submissions, person.links) == (None, (), ())
    assert person.unsubscribe == Unsubscribe(NOON, "unsubscribe")
    assert [(c.purpose, c.state) for c in person.consents] == [
        ("marketing", "granted"),
        ("marketing", "withdrawn"),
        ("erasure", "erased"),
    ]


def test_the_ids_of_the_erased_are_not_given_again(people: People) -> None:
    first = people.capture(draft("1"))
    people.erase(PROJECT, ADA, NOON)
    again = people.capture(draft("1"))
    assert (again.new, again.repeated) == (True, False)
    assert (again.lead_id or 0) > (first.lead_id or 0)
    assert again.submission_id > first.submission_id


def test_leads_are_listed_newest_first(people: People) -> None:
    made = [people.capture(draft(str(i), f"{i:064}")).lead_id or 0 for i in range(5)]
    assert [lead.id for lead in people.leads(PROJECT, 3)] == made[:1:-1]
    assert [lead.id for lead in people.leads(PROJECT, 3, made[2])] == made[1::-1]
    assert people.leads(PROJECT, 3, made[0]) == people.leads(ELSEWHERE, 3) == ()


def test_a_forgotten_project_has_no_people(database: Database, people: People) -> None:
    for project in (PROJECT, ELSEWHERE):
        consent = replace(marketing("granted"), project_id=project)
        people.capture(draft("1", project_id=project, actor="a" * 16, consents=(consent,)))
        people.unsubscribe(project, BOB, "unsubscribe", NOON)
    people.forget_project(PROJECT)
    tables = ("leads", "form_submissions", "links", "unsubscribes", "consent_log")
    assert [count(database, table) for table in tables] == [1, 1, 1, 1, 4]
    assert people.leads(PROJECT, 10) == ()
    assert people.unsubscribed(PROJECT, BOB) is None
    assert len(people.leads(ELSEWHERE, 10)) == 1


def stored(directory: Path) -> bytes:
    """Every byte of the store: its database, its log and its index."""
    return b"".join(path.read_bytes() for path in sorted(directory.glob("control.db*")))


def seal_and_capture(people: People, vault: Vault, identity: str, email: str) -> tuple[bytes, bytes]:
    """Captures an address; gives what was sealed of it."""
    sealed, payload = vault.seal(PROJECT, email), vault.seal(PROJECT, f'{{"email": "{email}"}}' * 500)
    hashed = vault.look_up(PROJECT, email)
    people.capture(
        draft(
            identity,
            hashed,
            email_sealed=sealed,
            payload_sealed=payload,
            consents=(marketing("granted", NOON, hashed),),
        )
    )
    return sealed, payload


@ON_SQLITE
def test_no_byte_of_the_files_names_an_address_or_keeps_an_erased_one(tmp_path: Path, people: People) -> None:
    vault = Vault(b"a secret of the tests")
    emails = [f"ada.lovelace+{i}@mail.test" for i in range(20)]
    sealed = [seal_and_capture(people, vault, str(i), email) for i, email in enumerate(emails)]
    before = stored(tmp_path)
    assert all(secret[:100] in before for pair in sealed for secret in pair)
    for email in emails[::2]:
        people.unsubscribe(PROJECT, vault.look_up(PROJECT, email), "unsubscribe", NOON)
        assert people.erase(PROJECT, vault.look_up(PROJECT, email), NOON) == Erased(submissions=1, links=0)
    after = stored(tmp_path)
    for held in (before.lower(), after.lower()):
        assert b"lovelace" not in held
        assert b"mail.test" not in held
    for secret in (part for pair in sealed[::2] for part in pair):
        assert all(secret[at : at + 40] not in after for at in range(20, len(secret) - 40, 40))
    assert all(pair[0] in after for pair in sealed[1::2])


def test_what_a_project_sealed_opens_for_it_alone(people: People) -> None:
    vault = Vault(b"a secret of the tests")
    seal_and_capture(people, vault, "1", "ada@mail.test")
    (lead,) = people.leads(PROJECT, 1)
    assert vault.open(PROJECT, lead.email_sealed) == "ada@mail.test"
    with pytest.raises(ValueError, match="was not sealed for project 2"):
        vault.open(ELSEWHERE, lead.email_sealed)
