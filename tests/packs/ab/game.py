"""A game with two experiments, what its players do, and what a dashboard has to say of it, in plain Python.

The time is in 2028: for the engine, whose clock is its own, nothing there has expired yet.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import httpx

from tallymark.control.experiments import Doer
from tallymark.spec.experiment_draft import parse_draft
from tests.oracle import TAKES_PART, Event, Oracle, Participation, day_of
from tests.packs.world import Application, bearer

NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
TODAY = NOON.date()
DASHBOARD = "the-dashboards-token"

STEPS = ("app_open", "level_start", "level_complete", "purchase")
WITHIN_MS = 7 * 86_400_000
EXPERIMENTS = {"tutorial": ("long", "short"), "shop": ("plain", "gold", "blue")}

Wire = dict[str, Any]
Row = dict[str, Any]


def event(name: str, unit: str, at: datetime, **more: Any) -> Wire:
    """An event as an app sends it."""
    return {"event": name, "userId": unit, "timestamp": at.isoformat(timespec="milliseconds"), **more}


def exposure(unit: str, at: datetime, experiment: str, variant: str) -> Wire:
    return event("experiment_exposure", unit, at, properties={"experiment": experiment, "variant": variant})


def traffic(seed: int, size: int = 160, days: int = 7) -> list[Wire]:
    """Exposures first, then what units do in another order than they did it; no two things at the same time."""
    draw = Random(seed)
    moments = draw.sample(range(days * 86_400_000), size)
    times = sorted(NOON - timedelta(days=days) + timedelta(milliseconds=moment) for moment in moments)
    early = draw.sample(times[: size // 3], 2 * 9)
    units = [f"u{n}" for n in range(9)]
    sent = [
        exposure(unit, early.pop(), experiment, draw.choice(variants))
        for unit in units
        for experiment, variants in EXPERIMENTS.items()
        if draw.random() < 0.6
    ]
    met = {wire["timestamp"] for wire in sent}
    later = [at for at in times if at.isoformat(timespec="milliseconds") not in met]
    for at in draw.sample(later, len(later)):
        name = draw.choice((*STEPS, "app_open", "level_start", "share"))
        value = {"value": draw.choice((0.99, 4.99, 0.1))} if name == "purchase" else {}
        who = draw.choice((*units, ""))
        sent.append(event(name, who, at, eventId=f"{name} {at}", properties={"platform": "ios"}, **value))
    return sent


@dataclass
class Game:
    """A project with the pack ab and two running experiments."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    sent: list[Wire] = field(default_factory=list)

    def fresh(self, **fields: Any) -> "Game":
        """Another game; the clock is at noon again."""
        self.application.clock.now = NOON
        made = Game(self.application, *self.application.make("ab", **fields), fields.get("timezone", "UTC"))
        here, doer = self.application.here, Doer("test", NOON - timedelta(days=300))
        for key, variants in EXPERIMENTS.items():
            draft = parse_draft({"key": key, "variants": [{"key": variant} for variant in variants]})
            here.experiments.create(made.id, draft, doer)
            here.experiments.start(made.id, key, doer)
        here.experiment_book.forget()
        return made

    @property
    def id(self) -> int:
        return self.application.project(self.name).id

    def send(self, events: Sequence[Wire]) -> None:
        """Sends events of any age."""
        answer = self.application.client.post(
            "/v1/import", json=events, params={"project": self.name}, headers=bearer(self.keys["admin"])
        )
        assert answer.json() == {"accepted": len(events), "rejected": []}, answer.text
        self.sent += events

    def get(self, path: str, key: str | None = DASHBOARD, **params: Any) -> httpx.Response:
        """A request below `/ab`, with the key that dashboards send."""
        headers = {"x-dashboard-token": key} if key else {}
        return self.application.client.get(f"/ab{path}", params={"project": self.name, **params}, headers=headers)

    def told(self, path: str, **params: Any) -> dict[str, Any]:
        """The body of an answer."""
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert (body["success"], body.get("project", self.name)) == (True, self.name)
        return body

    def ask(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        """An admin's request below `/v1/rollup`."""
        answer = self.application.client.request(
            method, f"/v1/rollup/{path}", params={"project": self.name, **params}, headers=bearer(self.keys["admin"])
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    @property
    def met(self) -> dict[str, dict[str, tuple[datetime, str]]]:
        """When each unit met which variant, by experiment."""
        found: dict[str, dict[str, tuple[datetime, str]]] = defaultdict(dict)
        for wire in self.sent:
            if wire["event"] == "experiment_exposure":
                at, said = datetime.fromisoformat(wire["timestamp"]), wire["properties"]
                found[wire["userId"]].setdefault(said["experiment"], (at, said["variant"]))
        return found

    def oracle(self) -> Oracle:
        """The oracle of what was sent."""
        return Oracle.of(((round(NOON.timestamp() * 1000), self._marked(wire)) for wire in self.sent), self.zone)

    def _marked(self, wire: Wire) -> Wire:
        at, met = datetime.fromisoformat(wire["timestamp"]), self.met.get(wire["userId"], {})
        part = [f"{experiment}/{variant}" for experiment, (since, variant) in met.items() if since <= at]
        return {**wire, "properties": {**wire.get("properties", {}), TAKES_PART: part}}

    def experiment_rows(self, last_days: int, experiment: str | None = None) -> list[Row]:
        """What `/v1/metrics/experiments` has to say."""
        groups: dict[tuple[str, ...], list[Participation]] = defaultdict(list)
        active: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for one in self.oracle().participations:
            key = (str(self._day(one.at)), *one.experiment_variant.split("/"))
            groups[*key, one.event].append(one)
            active[key] |= {one.actor}
        days = {str(TODAY - timedelta(days=n)) for n in range(last_days)}
        return [
            _experiment_row(key, ones, len(active[key[:3]]), self._new(*key[:3]))
            for key, ones in sorted(groups.items())
            if key[0] in days and experiment in (None, key[1])
        ]

    def _new(self, day: str, experiment: str, variant: str) -> int:
        times = [each[experiment] for each in self.met.values() if experiment in each]
        return sum(str(self._day(_ms(at))) == day and met == variant for at, met in times)

    def funnel_rows(self, last_days: int, experiment: str = "", steps: Sequence[str] = STEPS) -> list[Row]:
        """What `/v1/metrics/funnels` has to say."""
        reached: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(steps))
        for events in self._by_unit(experiment).values():
            variant = self.met[events[0].actor][experiment][1] if experiment else ""
            for day, entry in _entries(events, steps[0], self._day):
                for step in range(_walk(events, entry, steps)):
                    reached[str(day), variant][step] += 1
        days = {str(TODAY - timedelta(days=n)) for n in range(last_days)}
        return [
            {
                "date": day, "experiment": experiment or None, "variant": variant or None, "step": step + 1,
                "name": steps[step], "units": n, "stepConversion": _share(n, counts[step - 1] if step else n),
                "conversion": _share(n, counts[0]),
            }
            for (day, variant), counts in sorted(reached.items())
            if day in days
            for step, n in enumerate(counts)
        ]  # fmt: skip

    def _by_unit(self, experiment: str) -> dict[str, list[Event]]:
        """The events of each unit in order of time; of those in an experiment, from their exposure on."""
        found: dict[str, list[Event]] = defaultdict(list)
        for one in self.oracle().events:
            since = self.met.get(one.actor, {}).get(experiment)
            if one.actor and (not experiment or (since is not None and _ms(since[0]) <= one.at)):
                found[one.actor].append(one)
        return found

    def _day(self, at: int) -> date:
        return day_of(at, self.zone)


def _experiment_row(key: tuple[str, ...], ones: Sequence[Participation], active: int, new: int) -> Row:
    day, experiment, variant, name = key
    units = len({one.actor for one in ones})
    value = float(sum(one.value for one in ones if one.value is not None))
    return {
        "date": day, "experiment": experiment, "variant": variant, "event": name, "events": len(ones), "units": units,
        "value": value, "exposedUnits": active, "newUnits": new, "conversion": _share(units, active),
    }  # fmt: skip


def _entries(events: Sequence[Event], first: str, day: Any) -> Iterator[tuple[date, Event]]:
    """The first entry of each day."""
    seen = set()
    for one in events:
        if one.event == first and day(one.at) not in seen:
            seen.add(day(one.at))
            yield day(one.at), one


def _walk(events: Sequence[Event], entry: Event, steps: Sequence[str]) -> int:
    """How many steps are reached from an entry."""
    at, reached = entry.at, 1
    for step in steps[1:]:
        later = [one.at for one in events if one.event == step and at < one.at <= entry.at + WITHIN_MS]
        if not later:
            break
        at, reached = min(later), reached + 1
    return reached


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _ms(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
