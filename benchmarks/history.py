"""A site's past, made by the engine itself: seeded events of many days, written and rolled up by the real code.

Building takes minutes, so a built past is kept and used again by later runs; what is cached is brought up to date
first, in case the definitions of metrics have changed since.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.figures import Bench
from tallymark.config import load
from tallymark.control.database import open_database
from tallymark.control.leases import Leases
from tallymark.control.projects import Projects
from tallymark.engine.base import Engine
from tallymark.engine.opening import open_engine
from tallymark.packs import BUILTIN
from tallymark.rollup.keeper import Keeper
from tallymark.rollup.refresh import Refreshed
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project, ProjectDraft

PROJECT = "bench"

#: Raised when the events below change, so that nothing older is used again.
_VERSION = 3

_DONE = "complete"

#: Events are kept for ten years: a server that is asked about the past purges what is past its time.
_KEPT_HOURS = 3_650 * 24

#: Days whose events are written by one statement.
_DAYS_AT_ONCE = 10


@dataclass(frozen=True)
class Past:
    """How much happened: every day has `events_a_day` of `actors_a_day`, out of `actors` altogether."""

    first: date
    days: int
    events_a_day: int
    actors_a_day: int
    actors: int

    @property
    def last(self) -> date:
        """The last day."""
        return self.first + timedelta(days=self.days - 1)

    def folder(self, bench: Bench) -> Path:
        """The data directory it is kept in."""
        name = f"v{_VERSION}-{self.first}-{self.days}x{self.events_a_day}-{self.actors_a_day}-{self.actors}"
        return bench.data / name


@dataclass(frozen=True)
class Opened:
    """A past with what reads and refreshes it."""

    engine: Engine
    project: Project
    catalog: Catalog
    keeper: Keeper


@contextmanager
def opened(bench: Bench, past: Past) -> Iterator[Opened]:
    """A past in this process, built if it is not there yet, rolled up to the last day."""
    folder = past.folder(bench)
    if not (folder / _DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    settings = load({}, folder / "no.env", data=folder)
    engine = open_engine(settings)
    try:
        database = open_database(settings.control_url)
        projects, catalog = Projects(database), Catalog.of(BUILTIN)
        draft = ProjectDraft(PROJECT, ("web",), retention_hours=_KEPT_HOURS)
        project = projects.find(PROJECT) or projects.create(draft)
        if not (folder / _DONE).exists():
            _write(bench, engine, project, past)
            (folder / _DONE).touch()
        keeper = Keeper(engine, catalog, projects, Leases(database), 0, "benchmarks")
        _roll_up(bench, keeper, project, past)
        yield Opened(engine, project, catalog, keeper)
    finally:
        engine.close()


def _write(bench: Bench, engine: Engine, project: Project, past: Past) -> None:
    for offset in range(0, past.days, _DAYS_AT_ONCE):
        days = min(_DAYS_AT_ONCE, past.days - offset)
        bench.say(f"writing {days * past.events_a_day:,} events from {past.first + timedelta(days=offset)} on")
        params = {
            "project": project.id,
            "first": past.first + timedelta(days=offset),
            "rows": days * past.events_a_day,
            "a_day": past.events_a_day,
            "actors_a_day": past.actors_a_day,
            "actors": past.actors,
        }
        engine.command(_EVENTS, params)


def _roll_up(bench: Bench, keeper: Keeper, project: Project, past: Past) -> None:
    done: list[Refreshed] = []

    def tell(refreshed: Refreshed) -> None:
        done.append(refreshed)
        if len(done) % _DAYS_AT_ONCE == 0:
            bench.say(f"rolled up {len(done)} of {past.days} days")

    while keeper.run(project, tell):
        done.clear()


#: A row is the `number` of an event. An actor of a day comes on one or two visits, early ones more often than others;
#: visits last up to twenty minutes. Every choice is a hash of the day and the number, so that it is the same each time.
_EVENTS = """
INSERT INTO events (project, event, occurred_at, received_at, event_id, actor, session, value, bot, host, path,
    referrer_host, source, channel, medium, campaign, country, device, browser, os, props, expires_at)
WITH
    intDiv(number, {a_day:UInt64}) AS day,
    toUnixTimestamp64Milli(toDateTime64({first:Date}, 3, 'UTC')) + day * 86400000 AS midnight,
    cityHash64(midnight, number) AS dice,
    toUInt64(pow((dice % 1000003) / 1000003, 1.3) * {actors_a_day:UInt64}) AS visitor,
    cityHash64('actor', cityHash64(midnight, visitor) % {actors:UInt64}) AS who,
    cityHash64(midnight, visitor, bitAnd(bitShiftRight(dice, 20), 1)) AS visit,
    midnight + visit % 85000000 + bitShiftRight(dice, 21) % 1200000 AS at,
    bitShiftRight(dice, 32) % 1000 AS kind,
    toUInt32(pow((bitShiftRight(dice, 42) % 65536) / 65536, 3) * 600) AS page,
    visit % 7 AS origin
SELECT
    {project:UInt32},
    multiIf(kind < 700, 'page_view', kind < 820, 'click', kind < 900, 'engagement', kind < 950, 'form_start',
        kind < 990, 'form_submit', 'lead_captured'),
    fromUnixTimestamp64Milli(toInt64(at), 'UTC'),
    fromUnixTimestamp64Milli(toInt64(at + 80), 'UTC'),
    cityHash64('event', midnight, number),
    if(kind % 50 = 49, 0, who),
    0,
    if(kind >= 950, toNullable((dice % 20000) / 100), NULL),
    if(kind % 50 = 49, 'Googlebot', ''),
    'example.com',
    concat('/', ['blog', 'docs', 'pricing', 'product', 'guides', 'jobs'][page % 6 + 1], '/', toString(page)),
    ['', '', 'google.com', 'news.ycombinator.com', 'github.com', 'bing.com', ''][origin + 1],
    ['', '', 'Google', 'Hacker News', 'GitHub', 'Bing', 'newsletter'][origin + 1],
    ['direct', 'direct', 'organic_search', 'social', 'social', 'organic_search', 'email'][origin + 1],
    if(origin = 6, 'email', ''),
    if(origin = 6, concat('week-', toString(toISOWeek({first:Date} + day))), ''),
    ['DE', 'US', 'FR', 'GB', 'IN', 'BR', 'JP', 'NL', 'PL', 'SE', ''][who % 11 + 1],
    ['desktop', 'mobile', 'mobile', 'tablet'][who % 4 + 1],
    ['Chrome', 'Safari', 'Firefox', 'Edge', 'Samsung Internet'][who % 5 + 1],
    ['Windows', 'iOS', 'Android', 'macOS', 'Linux'][who % 5 + 1],
    multiIf(kind < 700, concat('{"plan":"', ['free', 'pro', 'team'][who % 3 + 1],
        '","ttfbMs":', toString(40 + bitShiftRight(dice, 11) % 900), '.5,"fcpMs":', toString(300 + dice % 1700),
        ',"lcpMs":', toString(600 + dice % 3900), ',"inpMs":', toString(20 + dice % 400),
        ',"clsScore":0.', toString(10 + dice % 30), '}'),
        kind >= 820 and kind < 900, concat('{"engagedTimeMs":', toString(1000 + dice % 60000),
        ',"scrollDepthPercent":', toString(dice % 101), '}'),
        kind >= 990, if(dice % 5 = 0, '{"form":"news","newLead":false,"isConversion":true}',
        '{"form":"news","newLead":true,"isConversion":true}'),
        concat('{"plan":"', ['free', 'pro', 'team'][who % 3 + 1], '","position":"header"}')),
    toDateTime('2100-01-01 00:00:00', 'UTC')
FROM numbers({rows:UInt64})
"""
