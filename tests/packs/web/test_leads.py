"""Leads: captured once, counted once, listed for marketing, and deleted without a trace."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.ingest.country import CountryTable
from tallymark.spec.project import Project
from tests.packs.web.site import ADMIN, CHROME, NAME, Site, running

ADA = "Ada.Lovelace@Example.org"
JSON = {"form": "signup", "message": "hello", "name": "Ada"}


def test_a_form_makes_a_lead_and_an_event(site: Site) -> None:
    told = site.capture(
        ADA, **JSON, visitorId="v1", url="https://shop.example/contact?x=1", utm={"source": "news"},
        referrer="https://www.google.com/", consent={"marketing": True, "analytics": True},
    )  # fmt: skip
    assert told == {
        "ok": True,
        "leadId": told["leadId"],
        "submissionId": told["submissionId"],
        "consent": {"marketing": "granted", "analytics": "granted"},
    }
    (row,) = site.rows("event, actor, host, path, source, referrer_host, bot, props")
    actor = site.here.receiver.enricher.actor(site.project.id, "v1")
    assert (row["event"], row["actor"], row["bot"]) == ("lead_captured", actor, "")
    assert (row["host"], row["path"], row["source"]) == ("shop.example", "/contact", "news")
    assert row["props"] == {"form": "signup", "isConversion": True, "newLead": True}
    (lead,) = site.listed()["leads"]
    assert (lead["email"], lead["leadId"], lead["form"]) == (ADA, told["leadId"], "signup")
    assert (lead["consent"], lead["unsubscribedAt"]) == ({"marketing": "granted", "analytics": "granted"}, None)


@pytest.mark.parametrize("given", [{}, {"submissionId": "s-1"}, {"eventId": "s-1"}, {"id": 17}])
def test_a_form_that_is_sent_again_counts_once(site: Site, given: dict[str, Any]) -> None:
    first, again = (site.capture(ADA, **JSON, **given) for _ in range(2))
    assert again == {**first, **({"repeated": True} if given else {})}
    assert len(site.rows()) == 1
    other = site.capture(ADA, **{**JSON, "message": "another"}, **{name: "s-2" for name in given})
    assert (other.get("repeated"), other["leadId"]) == (False if given else None, first["leadId"])
    assert [row["props"]["newLead"] for row in site.rows("props")] == [True, False]


def test_an_id_that_others_give_too_swallows_nobody(site: Site) -> None:
    site.capture(ADA, id="contact")
    assert site.capture("bob@example.org", id="contact")["repeated"] is False
    assert len(site.listed()["leads"]) == 2


def test_spellings_of_an_address_are_one_lead(site: Site) -> None:
    for email in (ADA, ADA.upper(), f"  {ADA.lower()} "):
        site.capture(email)
    (lead,) = site.listed()["leads"]
    assert (lead["email"], lead["submissions"]) == (ADA, 1)


@pytest.mark.parametrize(
    "request_",
    [
        {"data": {"email": ADA, "form": "signup", "consent": "on", "propertyId": NAME, "message": "hello ü"}},
        {"files": {"email": (None, ADA), "form": (None, "signup"), "consent": (None, "yes"),
                   "propertyId": (None, NAME), "message": (None, "hello ü"), "cv": ("cv.pdf", b"secret")}},
        {"content": f'{{"email": "{ADA}", "form": "signup", "consent": true, "propertyId": "site",'
                    ' "message": "hello ü"}'.encode(), "headers": {"content-type": "text/plain"}},
    ],
    ids=["urlencoded", "multipart", "text"],
)  # fmt: skip
def test_what_forms_are_written_in(site: Site, request_: dict[str, Any]) -> None:
    answer = site.post("/leads/capture", **request_)
    assert answer.status_code == 201, answer.text
    (lead,) = site.listed()["leads"]
    assert (lead["email"], lead["form"], lead["consent"]) == (ADA, "signup", {"marketing": "granted"})
    held = site.admin("/people/export", email=ADA).json()
    payload = held["submissions"][0]["payload"]
    assert payload.pop("cv", "cv.pdf") == "cv.pdf"
    assert payload == {"message": "hello ü"}


PAGE = {"origin": "https://shop.example", "referer": "https://shop.example/contact"}


@pytest.mark.parametrize(
    ("asked", "headers", "expected"),
    [
        ({}, PAGE, (303, "https://shop.example/contact")),
        ({"redirect": "/thanks"}, PAGE, (303, "https://shop.example/thanks")),
        ({"redirect": "https://evil.example/"}, PAGE, (201, None)),
        ({"redirect": "/thanks"}, {}, (201, None)),
        ({}, {}, (201, None)),
        ({}, {**PAGE, "sec-fetch-mode": "cors"}, (201, None)),
        ({}, {**PAGE, "sec-fetch-mode": "navigate"}, (303, "https://shop.example/contact")),
    ],
)
def test_where_a_browser_is_sent(
    site: Site, asked: dict[str, str], headers: dict[str, str], expected: tuple[int, str | None]
) -> None:
    fields = {"email": ADA, "propertyId": NAME, **asked}
    answer = site.post("/leads/capture", data=fields, headers=headers)
    assert (answer.status_code, answer.headers.get("location")) == expected
    assert len(site.listed()["leads"]) == 1
    refused = expected[0] == 201 and bool(asked)
    assert ("redirect" in answer.json()) == refused


def test_a_form_without_a_url_happened_on_the_page_that_sent_it(site: Site) -> None:
    site.post("/leads/capture", data={"email": ADA, "propertyId": NAME}, headers=PAGE)
    assert site.rows("host, path") == [{"host": "shop.example", "path": "/contact"}]


@pytest.mark.parametrize("email", [None, "", "ada", "ada@", "ada lovelace@example.org", 7, [], {"a": ADA}, "a" * 400])
def test_a_bad_address_is_refused_counted_and_not_repeated(site: Site, email: Any) -> None:
    answer = site.post("/leads/capture", json={"email": email, "message": "x"})
    told = answer.json()
    assert (answer.status_code, told["ok"], told["error"], told["field"]) == (400, False, "lead_bad_email", "email")
    assert "lovelace" not in answer.text
    assert site.refusals() == {"lead_bad_email": 1}
    assert site.listed()["leads"] == []
    assert site.rows() == []


@pytest.mark.parametrize(
    "request_",
    [
        {"content": b"{"},
        {"content": b"[]"},
        {"content": b"\xff\xfe"},
        {"content": b'{"a": 1}', "headers": {"content-encoding": "gzip"}},
        {"content": b'{"a": "' + b"x" * 65_536 + b'"}'},
        {"data": {"email": ADA, "message": "x" * 65_536}},
        {"json": {"email": ADA, **{f"f{i}": i for i in range(100)}}},
        {"json": {"email": ADA, "consent": "perhaps"}},
        {"content": b"--x\r\nno", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
         "headers": {"content-type": "multipart/form-data; boundary=x"}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_counted(site: Site, request_: dict[str, Any]) -> None:
    answer = site.post(f"/leads/capture?propertyId={NAME}", **request_)
    assert (answer.status_code, answer.json()["error"]) == (400, "lead_malformed"), answer.text
    assert site.refusals() == {"lead_malformed": 1}
    site.here.receiver.counts.flush()
    rows = site.here.engine.query(
        "SELECT reason, sum(n) FROM rejections WHERE project = {project:UInt32} GROUP BY reason",
        {"project": site.project.id},
    )
    assert [tuple(row) for row in rows] == [("lead_malformed", 1)]
    assert site.listed()["leads"] == []


def test_a_trap_looks_like_success_and_stores_nothing(site: Site) -> None:
    real = site.capture(ADA)
    for bait in ({"_gotcha": "x"}, {"_hp": "x"}, {"_hp": "x", "email": "no address"}):
        told = site.capture(**{"email": "bot@example.org", **bait})
        assert told.keys() == real.keys()
        assert [len(told[name]) for name in ("leadId", "submissionId")] == [16, 64]
        assert told["ok"] is True
    for name, headers, more in (("s-1", {}, {"repeated"}), ("", {"x-admin-key": ADMIN}, {"repeated", "new"})):
        for email, bait in (("cy@example.org", {}), ("bot@example.org", {"_hp": "x"})):
            sent = {"email": email, "submissionId": name, **bait}
            told = site.post("/leads/capture", json=sent, headers=headers).json()
            assert told.keys() == real.keys() | more
            assert (told["repeated"], told.get("new", True)) == (False, True)
        site.admin("/leads/delete", email="cy@example.org")
    assert len(site.listed()["leads"]) == len(site.rows()) == 1
    assert site.refusals() == {}


def test_who_denies_analytics_is_not_followed(site: Site) -> None:
    site.send({"visitorId": "v1"})
    site.capture(ADA, visitorId="v1", sessionId="s1", consent={"analytics": False})
    view, lead = site.rows("actor, session, event")
    assert lead["actor"] not in (0, view["actor"])
    assert lead["session"] == 0
    assert site.admin("/people/export", email=ADA).json()["links"] == []
    # It was said of the visitor, too: the next form without a word on it does not follow them either.
    site.capture(ADA, visitorId="v1", message="again")
    assert view["actor"] not in [row["actor"] for row in site.rows("actor")[1:]]


def test_without_an_address_of_its_own_a_visitor_is_the_days(site: Site) -> None:
    site.send({})
    site.capture(ADA)
    view, lead = site.rows("actor, origin")
    assert view == lead
    assert lead["actor"] != 0 != lead["origin"]


def test_pages_of_other_origins(tmp_path: Path, engine: Engine, project: Callable[..., Project]) -> None:
    with running(tmp_path / "data", engine, project, cors_origins=("https://shop.example",)) as site:
        answer = site.post("/leads/capture", json={"email": ADA}, headers={"origin": "https://evil.example"})
        assert (answer.status_code, answer.json()["error"]) == (403, "origin_not_allowed")
        assert answer.json()["allowed"] == ["https://shop.example"]
        for headers in ({}, {"origin": "https://shop.example"}):
            assert site.post("/leads/capture", json={"email": ADA}, headers=headers).status_code == 201


def test_with_keys_only(tmp_path: Path, engine: Engine, project: Callable[..., Project]) -> None:
    with running(tmp_path / "data", engine, project, web_capture="keyed") as site:
        assert site.post("/leads/capture", json={"email": ADA}).status_code == 401
        key = site.client.post(
            "/v1/keys", json={"project": NAME, "scope": "ingest", "label": "form"}, headers={"x-admin-key": ADMIN}
        ).json()["key"]["secret"]
        assert site.post("/leads/capture", json={"email": ADA, "key": key}).status_code == 201
        assert site.post(f"/leads/capture?key={key}", json={"email": ADA}).status_code == 201
        assert site.post("/leads/capture", json={"email": ADA, "key": "tm_nothing"}).status_code == 401
        held = site.admin("/people/export", email=ADA).text
        assert key not in held


def test_a_server_that_relays(site: Site) -> None:
    """It is no visitor itself: whom it sends for is who it says, or nobody known, and never guessed."""
    server = {"x-admin-key": ADMIN, "user-agent": "python-requests/2.32"}
    for visitor in ("v1", "v2"):
        said = {"visitorId": visitor, "purposes": {"analytics": True}}
        assert site.post("/consent", json=said, headers=server).status_code == 200
    browser = {"ip": "92.208.1.1", "userAgent": CHROME}
    for fields in ({"email": ADA}, {"email": "bob@example.org", **browser}):
        assert site.post("/leads/capture", json=fields, headers=server).status_code == 201
    alone, seen = site.rows("country, browser, origin, actor", "event = 'lead_captured'")
    assert alone == {"country": "", "browser": "", "origin": 0, "actor": 0}
    assert (seen["country"], seen["browser"]) == (CountryTable.load().country("92.208.1.1"), "Chrome")
    assert 0 not in (seen["origin"], seen["actor"])
    for email in (ADA, "bob@example.org"):
        held = site.admin("/people/export", email=email).json()
        assert held["links"] == []
        assert held["submissions"][0]["payload"] is None
    # From others that is not believed.
    site.post("/leads/capture", json={"email": "eve@example.org", "ip": "92.208.1.1"})
    assert site.rows("country", "event = 'lead_captured'")[-1] == {"country": ""}


def test_of_many_at_once_one_counts(site: Site) -> None:
    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(lambda _: site.capture(ADA, **JSON, submissionId="s-1"), range(6)))
    assert sorted(one["repeated"] for one in told) == [False] + [True] * 5
    assert len({one["submissionId"] for one in told}) == len(site.rows()) == 1


def key_of(site: Site, scope: str) -> str:
    made = {"project": NAME, "scope": scope, "label": ""}
    key: str = site.client.post("/v1/keys", json=made, headers={"x-admin-key": ADMIN}).json()["key"]["secret"]
    return key


@pytest.mark.parametrize("given", [{}, {"submissionId": "s-1"}])
def test_what_a_form_that_comes_again_says_of_consent_holds(site: Site, given: dict[str, Any]) -> None:
    states = []
    for said in (True, False, False, {"ads": True}, True, "withdrawn"):
        told = site.capture(ADA, **JSON, **given, consent=said, visitorId="v1")
        (lead,) = site.listed()["leads"]
        assert told["consent"].items() <= lead["consent"].items()
        states.append((told["consent"], lead["consent"], lead["submissions"]))
    yes, no, gone = ({"marketing": state} for state in ("granted", "denied", "withdrawn"))
    ads = {"ads": "granted"}
    assert states == [(yes, yes, 1), (no, no, 1), (no, no, 1), (ads, no | ads, 1), (yes, yes | ads, 1),
                      (gone, gone | ads, 1)]  # fmt: skip
    log = [(one["purpose"], one["state"]) for one in site.admin("/people/export", email=ADA).json()["consents"]]
    assert log == [("marketing", "granted"), ("marketing", "denied"), ("ads", "granted"), ("marketing", "granted"),
                   ("marketing", "withdrawn")]  # fmt: skip


def test_who_stops_being_followed_by_the_same_form_is_not_followed(site: Site) -> None:
    for said in (True, False):
        site.capture(ADA, visitorId="v1", consent={"analytics": said})
    site.capture("bob@example.org", visitorId="v1")
    assert site.admin("/people/export", email="bob@example.org").json()["links"] == []


@pytest.mark.parametrize(
    ("scope", "told"), [(None, set()), ("ingest", set()), ("admin", {"repeated", "new"})], ids=["page", "key", "admin"]
)
def test_nobody_learns_who_left_an_address(site: Site, scope: str | None, told: set[str]) -> None:
    site.capture(ADA, **JSON)
    headers = {} if scope is None else {"authorization": f"Bearer {key_of(site, scope)}"}
    for email in (ADA, "stranger@example.org"):
        answer = site.post("/leads/capture", json={"email": email, **JSON}, headers=headers).json()
        assert answer.keys() == {"ok", "leadId", "submissionId", "consent"} | told
        if told:
            assert (answer["repeated"], answer["new"]) == (email == ADA, True)


@pytest.mark.parametrize("header", ["authorization", "x-admin-key"])
def test_a_key_that_is_none_is_not_believed_because_of_another(site: Site, header: str) -> None:
    garbage = {header: "Bearer garbage"}
    sent = {"email": ADA, "key": key_of(site, "ingest"), "ip": "92.208.1.1", "userAgent": CHROME}
    answer = site.post("/leads/capture", json=sent, headers=garbage)
    assert not {"repeated", "new"} & answer.json().keys()
    assert (answer.status_code, site.rows()) == (401, [])


def test_only_an_admin_lifts_an_unsubscribe(site: Site) -> None:
    site.client.post(site.admin("/unsubscribe/link", email=ADA).json()["url"])
    headers = {"authorization": f"Bearer {key_of(site, 'ingest')}"}
    for sent in ({}, headers):
        told = site.post("/leads/capture", json={"email": ADA, "consent": True}, headers=sent).json()
        (lead,) = site.listed()["leads"]
        assert told["consent"] == lead["consent"] == {"marketing": "granted"}
        assert lead["unsubscribedAt"] is not None
    site.admin("/leads/capture", email=ADA, consent=True)  # the same form
    assert site.listed()["leads"][0]["unsubscribedAt"] is None


def test_an_unknown_property(site: Site) -> None:
    answer = site.post("/leads/capture", json={"email": ADA, "propertyId": "nowhere"})
    assert (answer.status_code, answer.json()["field"]) == (404, "propertyId")


def test_lists_are_in_pages(site: Site) -> None:
    for n in range(5):
        site.capture(f"p{n}@example.org")
    first = site.listed(limit=2)
    second = site.listed(limit=2, before=first["next"])
    third = site.listed(limit=2, before=second["next"])
    emails = [[lead["email"] for lead in page["leads"]] for page in (first, second, third)]
    assert emails == [["p4@example.org", "p3@example.org"], ["p2@example.org", "p1@example.org"], ["p0@example.org"]]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/leads"), ("POST", "/leads/delete"), ("POST", "/people/export"), ("POST", "/unsubscribe/link")],
)
def test_only_admins_ask_about_people(
    tmp_path: Path, engine: Engine, project: Callable[..., Project], method: str, path: str
) -> None:
    def ask(key: str | None) -> tuple[int, str]:
        headers = {} if key is None else {"x-admin-key": key}
        body = {"email": ADA, "propertyId": NAME} if method == "POST" else None
        answer = site.client.request(method, f"/web/v1{path}", params={"propertyId": NAME}, json=body, headers=headers)
        return answer.status_code, answer.json().get("error", "")

    with running(tmp_path / "data", engine, project) as site:
        site.capture(ADA)
        for key in (None, "wrong"):
            assert ask(key) == (401, "unauthorized")
        for scope, expected in (("ingest", 403), ("read", 403), ("admin", 200)):
            made = site.client.post(
                "/v1/keys", json={"project": NAME, "scope": scope, "label": ""}, headers={"x-admin-key": ADMIN}
            )
            assert ask(made.json()["key"]["secret"])[0] == expected
    with running(tmp_path / "data", engine, project, admin="") as site:
        assert ask("wrong") == (503, "admin_auth_not_configured")


class World:
    """People who browse and write, and what is left of the numbers when some of them go, in plain Python."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.events: list[dict[str, Any]] = []
        self.leads: dict[str, str] = {}

    def play(self, site: Site) -> None:
        for person in range(6):
            visitor, email = f"v{person}", f"person{person}@example.org"
            now = site.at().timestamp()
            for n in range(self.random.randrange(1, 5)):
                at = now - self.random.randrange(60, 3_600)
                event = {
                    "visitorId": visitor, "occurredAt": at, "eventId": f"{visitor} {n}",
                    "url": f"https://shop.example/{self.random.choice('ab')}",
                    "properties": {"note": f"mail {email} please"},
                }  # fmt: skip
                self.events.append(event)
                site.send(event)
            if person % 2:
                site.capture(email, visitorId=visitor, form="signup", message=f"I am {email}")
                self.leads[email] = visitor

    def numbers(self) -> dict[str, int]:
        """Recounted from what was sent."""
        return {
            "page_views": len(self.events),
            "visitors": len({event["visitorId"] for event in self.events}),
            "new_leads": len(self.leads),
        }

    def paths(self) -> dict[str, int]:
        return dict(Counter(event["url"][-2:] for event in self.events))

    def without(self, email: str) -> None:
        gone = self.leads.pop(email)
        self.events = [event for event in self.events if event["visitorId"] != gone]


def traces(data: Path, text: str) -> list[Path]:
    """The files in which a text stands, in whatever case."""
    needles = [text.encode(), text.lower().encode(), text.upper().encode()]
    files = (path for path in data.rglob("*") if path.is_file())
    return [path for path in files if any(needle in path.read_bytes() for needle in needles)]


@pytest.mark.parametrize("seed", range(2))
def test_numbers_without_a_person_are_those_of_a_world_without_them(site: Site, seed: int) -> None:
    world = World(seed)
    world.play(site)
    assert site.numbers("page_views", "visitors", "new_leads") == world.numbers()
    for email, visitor in list(world.leads.items())[:2]:
        actor = site.here.receiver.enricher.actor(site.project.id, visitor)
        own = len(site.rows("event", f"actor = {actor}"))
        answer = site.admin("/leads/delete", email=email.upper())
        deleted = answer.json()["deleted"]
        assert (deleted["leads"], deleted["submissions"], deleted["links"], deleted["actors"]) == (1, 1, 1, 1)
        assert deleted["days"] >= 1
        assert own > 1
        world.without(email)
        assert site.numbers("page_views", "visitors", "new_leads") == world.numbers()
        for table in ("events", "sessions", "actors"):
            found = site.here.engine.query(
                f"SELECT count() FROM {table} WHERE project = {{p:UInt32}} AND actor = {{a:UInt64}}",
                {"p": site.project.id, "a": actor},
            )
            assert found[0][0] == 0, table
        assert site.admin("/leads/delete", email=email).status_code == 404
    checked = site.client.get("/v1/rollup/check", params={"project": NAME}, headers={"x-admin-key": ADMIN}).json()
    assert checked["differences"] == []
    assert dict(Counter(row["path"] for row in site.rows("path", "event = 'page_view'"))) == world.paths()


def test_a_deletion_that_was_broken_off_is_completed(site: Site) -> None:
    site.send({"visitorId": "v1"})
    site.capture(ADA, visitorId="v1")
    # The process dies between the two stores: the engine has forgotten, the control store has not.
    actor = site.here.receiver.enricher.actor(site.project.id, "v1")
    site.here.keeper.forget(site.project, [actor])
    assert site.rows() == []
    assert site.admin("/leads/delete", email=ADA).json()["deleted"]["leads"] == 1
    assert site.listed()["leads"] == []
    assert site.admin("/leads/delete", email=ADA).status_code == 404


def test_remembered_times_go_with_their_events(site: Site) -> None:
    def pins() -> int:
        params = {"project": site.project.id}
        rows = site.here.engine.query("SELECT count() FROM pins FINAL WHERE project = {project:UInt32}", params)
        return int(rows[0][0])

    site.send({"visitorId": "v1", "eventId": "e1"}, {"visitorId": "v2", "eventId": "e2"})
    site.capture(ADA, visitorId="v1")
    assert pins() == 2
    site.admin("/leads/delete", email=ADA)
    assert pins() == 1


def test_the_event_of_a_lead_nobody_knows_goes_too(site: Site) -> None:
    site.send({"visitorId": "v1"}, {"visitorId": "v2"}, {"visitorId": "v3"})
    site.capture(ADA)
    assert site.admin("/leads/delete", email=ADA).json()["deleted"] == {
        "leads": 1, "submissions": 1, "links": 3, "actors": 0, "days": 1
    }  # fmt: skip
    assert [row["event"] for row in site.rows()] == ["page_view"] * 3
    assert site.numbers("new_leads", "visitors") == {"new_leads": 0, "visitors": 3}


def test_the_consent_log_keeps_that_it_was_done(site: Site) -> None:
    site.capture(ADA, consent={"marketing": True}, consentPolicy=f"of {ADA}")
    token = site.admin("/unsubscribe/link", email=ADA).json()["url"].partition("token=")[2]
    site.post(f"/unsubscribe?token={token}")
    assert site.admin("/leads/delete", email=ADA).status_code == 200
    held = site.admin("/people/export", email=ADA).json()
    assert (held["lead"], held["submissions"], held["links"], held["events"]) == (None, [], [], [])
    assert [(c["purpose"], c["state"]) for c in held["consents"]] == [
        ("marketing", "granted"), ("marketing", "withdrawn"), ("erasure", "erased"),
    ]  # fmt: skip
    assert held["unsubscribe"]["source"] == "link"
    assert traces(site.data, ADA) == []
    # Whoever comes back has said nothing yet.
    assert not site.capture(ADA, submissionId="s-1")["repeated"]
    assert site.listed()["leads"][0]["consent"] == {}


def test_countries_and_devices_are_those_of_the_request(
    tmp_path: Path, engine: Engine, project: Callable[..., Project]
) -> None:
    with running(tmp_path / "data", engine, project, trusted_proxies=1) as site:
        site.post("/leads/capture", json={"email": ADA}, headers={"x-forwarded-for": "9.9.9.9, 92.208.1.1"})
        (row,) = site.rows("country, browser, device")
    country = CountryTable.load().country("92.208.1.1")
    assert country
    assert row == {"country": country, "browser": "Chrome", "device": "desktop"}
    assert "Chrome" in CHROME


def test_only_a_server_with_a_key_is_told_who_is_new(site: Site) -> None:
    keyed = {"headers": {"x-admin-key": ADMIN}}
    assert [site.post("/leads/capture", {"email": ADA, "n": n}, **keyed).json()["new"] for n in (1, 2)] == [True, False]
    assert "new" not in site.post("/leads/capture", {"email": ADA, "n": 3}).json()
    trapped = {"email": ADA, "_gotcha": "x"}
    assert (
        site.post("/leads/capture", trapped).json().keys() == site.post("/leads/capture", {"email": ADA}).json().keys()
    )
