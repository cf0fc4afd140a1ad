"""How well personal data is told from what only looks like it, and what looking costs."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks import impersonal_data, personal_data, traffic
from benchmarks.figures import Bench, Figure
from benchmarks.impersonal_data import Harmless
from benchmarks.personal_data import Sample
from benchmarks.timing import processor_cost
from tallymark.ingest import pii
from tallymark.ingest.decode import decode
from tallymark.ingest.gate import Limits, admit
from tallymark.spec.project import Project

#: Events of a body of some 20 kB.
_PER_BODY = 55

#: Most bytes of an event, as they are set without a setting, and of a body.
_EVENT, _BODY = 60_000, 1_000_000

_FIND = "me@x.org"
#: What events hold that hold nothing else.
_TINY = ("a@b.cd", "02#3 ######", "+49#########")


def _repeated(form: str, size: int) -> str:
    """The form again and again, its `#` a figure by chance each time, up to so many characters."""
    chance = random.Random(form)
    return "".join(str(chance.randrange(10)) if c == "#" else c for c in form * (size // len(form)))


def _deep(size: int) -> dict[str, Any]:
    nested: Any = ["abcdefg"] * (size // 10)
    for _ in range(min(900, size // 20)):
        nested = [nested]
    return {"d": nested, "e": _FIND}


def _names(form: str) -> Callable[[int], dict[str, Any]]:
    return lambda size: {"d": [{name: "abcdef"} for name in _repeated(f"{form};", size // 2).split(";")], "e": _FIND}


def _text(form: str) -> Callable[[int], dict[str, Any]]:
    return lambda size: {"d": f"{_repeated(form, size)} {_FIND}"}


def _list(form: str, name: str = "d") -> Callable[[int], dict[str, Any]]:
    return lambda size: {name: _repeated(f"{form};", size).split(";"), "e": _FIND}


_PROJECT = Project(1, "hostile", (), "UTC", 24 * 365, "redact", "mark", None, datetime.now(UTC))
_LIMITS = Limits(None, 1_000, 200, 1 << 24)

#: Properties of about so many characters that make the guard work the most.
HOSTILE: dict[str, Callable[[int], dict[str, Any]]] = {
    "a long name": lambda size: {"x" * size: _FIND},
    "a long name of words": lambda size: {"user_" * (size // 5): _FIND},
    "nested lists": _deep,
    "short texts": _list("abcdefg"),
    "texts under a telling name": _list("a", "email"),
    "addresses under a telling name": lambda size: {"ip": "1," * (size // 2), "e": _FIND},
    "names": _names("k#######"),
    "telling names": _names("k####email"),
    "names that are personal data": _names("a####@x.org"),
    "email=a&": _text("email=a&"),
    "names in JSON": _text('{"email":"a"}'),
    "telephone numbers": _text("+4930#######, "),
    "telephone numbers at home": _text("0171 ####### ; "),
    "wrong numbers at home": _text("02#3 ######; "),
    "cards": _text("4############### "),
    "addresses in the net": _text("203.0.113.## "),
    "emails": _text("a####@x.org "),
    "one email that is none": lambda size: {"d": "a." * (size // 2) + "a@b.png"},
    "bearer": _text("bearer+"),
    "beginnings of keys": _text("AKIA#sk_live_ghp_-xoxb-AIza#SG.eyJ_npm_hf_ "),
    "beginnings of account numbers": _text("DE##-FR##GB## NO##A"),
    "percent signs": _text("%41a"),
    "percent signs twice": _text("%2541"),
    "full-width letters": _text("\uff41a"),
    "unseen characters": _text("\u200ba"),
    "control characters": _text("\x01"),
    "several passes": _text("a%2540x.org +49%2030%2090#### "),
}


@dataclass
class _Tally:
    """How many samples of a kind there are, how many were found as such, and how many finds were false alarms."""

    samples: int = 0
    found: int = 0
    alarms: int = 0
    missed: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        return self.found / self.samples if self.samples else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.alarms) if self.found + self.alarms else 1.0


def run(bench: Bench) -> list[Figure]:
    """Precision and recall on a labelled corpus, overall and by kind; microseconds of processor time."""
    holding = list(personal_data.samples(10 if bench.quick else 170, seed=7))
    harmless = list(impersonal_data.samples(*((10, 7, 5) if bench.quick else (1_100, 7, 200))))
    bench.say(f"{len(holding):,} events that hold personal data, {len(harmless):,} that look like it")
    plain, alike = [s for s in harmless if not s.hard], [s for s in harmless if s.hard]
    kinds = _tallies([sample for sample in holding if not sample.hard], plain)
    hard = _tallies([sample for sample in holding if sample.hard], [])
    return [
        *_overall(kinds, len(plain)),
        Figure("recall of what is hard to find", _sum(hard).recall, "", note=_told(_sum(hard), "{found} of {samples}")),
        _figure_alike(alike),
        *(_by_kind(kind, tally) for kind, tally in sorted(kinds.items())),
        *_costs(bench, holding),
        *_attacks(bench),
    ]


def _overall(kinds: dict[str, _Tally], harmless: int) -> list[Figure]:
    every = _sum(kinds)
    return [
        Figure("precision", every.precision, "", 0.99, "more", f"{every.alarms} false alarms in {harmless:,} events"),
        Figure("recall", every.recall, "", 0.95, "more", _told(every, "{found:,} of {samples:,} found")),
    ]


def _figure_alike(alike: Sequence[Harmless]) -> Figure:
    """What can't be told from personal data but by knowing: how much of it is left alone."""
    alarms = Counter(sample.family for sample in alike if pii.find(sample.properties))
    share = 1 - sum(alarms.values()) / len(alike)
    note = "alarms: " + ", ".join(f"{count} {family}" for family, count in alarms.items())
    return Figure("left alone of what can't be told apart", share, "", note=note)


def _by_kind(kind: str, tally: _Tally) -> Figure:
    missed = ", ".join(f"{n} {family}" for family, n in tally.missed.most_common(3))
    note = f"of {tally.samples:,}; precision {tally.precision:.3f}{'; missed ' if missed else ''}{missed}"
    return Figure(f"recall of {kind}", tally.recall, "", note=note)


def _tallies(holding: Sequence[Sample], harmless: Sequence[Harmless]) -> dict[str, _Tally]:
    """By kind; what is found and stays readable counts as missed, and so does what the scan of the body passes over."""
    kinds = {sample.kind: _Tally() for sample in holding}
    for sample in holding:
        tally = kinds[sample.kind]
        tally.samples += 1
        if _found(sample):
            tally.found += 1
        else:
            tally.missed[sample.family] += 1
    for harmless_sample in harmless:
        for kind in {finding.kind for finding in pii.find(harmless_sample.properties)}:
            kinds.setdefault(kind, _Tally()).alarms += 1
    return kinds


def _found(sample: Sample) -> bool:
    kinds = {finding.kind for finding in pii.find(sample.properties)}
    readable = sample.value in json.dumps(pii.redacted(sample.properties), ensure_ascii=False)
    return pii.suspicious(sample.body) and sample.kind in kinds and not readable


def _sum(kinds: dict[str, _Tally]) -> _Tally:
    every = list(kinds.values())
    return _Tally(sum(t.samples for t in every), sum(t.found for t in every), sum(t.alarms for t in every))


def _told(tally: _Tally, form: str) -> str:
    return form.format(found=tally.found, samples=tally.samples)


def _costs(bench: Bench, holding: Sequence[Sample]) -> list[Figure]:
    rounds = 2 if bench.quick else 15
    bodies = traffic.bodies(traffic.events(500 if bench.quick else 5_000, seed=3), _PER_BODY)
    escaped = [body.replace(b"/blog/", b"/a%20b/").replace(b"Plans", b"Pl\xc3\xa4ne") for body in bodies]
    properties = [sample.properties for sample in holding if not sample.hard]

    def cost(look: Callable[[Any], object], given: Sequence[Any]) -> float:
        return processor_cost(lambda: [look(each) for each in given], len(given), rounds)

    scan, size = cost(pii.suspicious, bodies), sum(map(len, bodies)) / len(bodies)
    doubtful = sum(map(pii.suspicious, bodies))
    return [
        Figure("scan of a clean body", scan, "µs", note=f"{size:,.0f} bytes; {doubtful} of {len(bodies)} are doubtful"),
        Figure("scan", scan / _PER_BODY, "µs/event"),
        Figure("scan, against decoding the same bytes", scan / cost(decode, bodies), "times"),
        Figure("scan of one with percent signs and umlauts", cost(pii.suspicious, escaped), "µs"),
        Figure("finding in an event that holds something", cost(pii.find, properties), "µs/event"),
        Figure("redacting it", cost(pii.redacted, properties), "µs/event"),
    ]


def _attacks(bench: Bench) -> list[Figure]:
    """What the worst of the hostile forms cost, in one event and in a body full of such events."""
    events = {form: _of_bytes(_EVENT, make) for form, make in HOSTILE.items()}
    bodies = {form: _admitted([made] * (1 if bench.quick else _BODY // _EVENT)) for form, made in events.items()}
    tiny = {form: [{"d": text} for text in _repeated(f"{form};", _BODY // 4).split(";")] for form in _TINY}
    few = slice(500 if bench.quick else None)
    return [
        _worst("worst event of 60 kB, redacted", {form: _admitted([made]) for form, made in events.items()}),
        _worst("worst body of 1 MB, redacted", bodies),
        _worst("worst body of tiny events", {form: _admitted(made[few]) for form, made in tiny.items()}),
    ]


def _of_bytes(size: int, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """Properties that are so long in JSON."""
    return make(size * size // len(json.dumps(make(size))))


def _admitted(events: Sequence[dict[str, Any]]) -> Callable[[], object]:
    body = json.dumps([{"event": "x", "properties": properties} for properties in events], ensure_ascii=False).encode()
    return lambda: admit(decode(body), _PROJECT, _LIMITS, 0, "", body)


def _worst(name: str, looks: dict[str, Callable[[], object]]) -> Figure:
    costs = {form: processor_cost(look, 1_000, 1) for form, look in looks.items()}
    (form, cost), *_ = sorted(costs.items(), key=lambda each: -each[1])
    return Figure(name, cost, "ms", note=f"{form}; {len(costs)} forms")
