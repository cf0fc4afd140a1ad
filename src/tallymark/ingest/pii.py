"""Personal data in what is sent: found by kind, then redacted or refused as the project says.

One RE2 set looks at the whole body first; only where something might be there are an event's texts looked at, and
a validator (Luhn, IBAN's check digits, a country's telephone numbers, …) decides. What stands under a telling name is
found by that. A body has a budget; what goes beyond it is personal data without looking.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from tallymark.ingest.pii_budget import OF_COLUMN, Budget
from tallymark.ingest.pii_keys import LONGEST_NAME, below
from tallymark.ingest.pii_readings import unescaped, ways
from tallymark.ingest.pii_spans import Span, hits, spans

#: The shortest is a card's check code.
_SHORTEST_NUMBER: Final = 10**2
_LONGER_THAN_CARDS: Final = 10**19
#: Passes over a text: each takes away what it finds, and what is left rarely holds more.
_PASSES: Final = 8
#: Of a path this many steps are shown at either end, and this many characters.
_STEPS: Final = 4
_LONGEST_PATH: Final = 200

#: A name or a place in a list, and the way to what holds it; None for the properties as a whole.
_Way = tuple["_Way", str | int] | None


@dataclass(frozen=True)
class Finding:
    """Where and of what kind; never the value. Of a long way the middle is left out."""

    field: str
    kind: str


def suspicious(body: bytes) -> bool:
    """Whether a body may hold anything: false for almost all, in one scan."""
    if b"\\" in body:
        body = unescaped(body.decode("utf-8", "replace")).encode()
    if hits(body):
        return True
    if body.isascii() and b"%" not in body:
        return False
    return any(map(hits, ways(body.decode("utf-8", "replace"))[1:]))


def find(properties: dict[str, Any], budget: Budget | None = None) -> list[Finding]:
    """What the texts of an event's properties hold, and their names: each field with each kind once.

    The first field beyond the budget is the last.
    """
    return list(dict.fromkeys(_findings(properties, budget or Budget())))


def first(properties: dict[str, Any], budget: Budget | None = None) -> Finding | None:
    """The first of what `find` gives, at the cost of looking as far as that."""
    return next(_findings(properties, budget or Budget()), None)


def redacted(value: Any, budget: Budget | None = None) -> Any:
    """The same value with each find replaced by its kind in brackets, `[email]`; all texts beyond the budget too."""
    budget = budget or Budget()
    whole: list[Any] = [value]
    todo: deque[tuple[Any, Iterable[tuple[Any, str]]]] = deque([(whole, [(0, "")])])
    while todo:
        holder, places = todo.popleft()
        for place, name in places:
            held = holder[place]
            if isinstance(held, dict):
                holder[place], inner = _with_clean_names(held, name, budget)
                todo.append((holder[place], inner.items()))
            elif isinstance(held, list):
                holder[place] = held.copy()
                todo.append((holder[place], zip(range(len(held)), repeat(name), strict=False)))
            else:
                holder[place] = _clean_leaf(held, name, budget)
    return whole[0]


def cleaned(texts: Sequence[str], name: str = "", budget: Budget | None = None) -> list[str]:
    """As `redacted`, for the texts of a column: they are looked at one by one only where one may hold something."""
    if not any(map(hits, ways("\n".join(texts)))):
        return list(texts)
    budget = budget or Budget(of_body=OF_COLUMN)
    return [_clean_of_event(text, name, budget) for text in texts]


def _findings(properties: dict[str, Any], budget: Budget) -> Iterator[Finding]:
    open_ = [_entries(properties, None, "", budget)]
    while open_:
        value, way, name = next(open_[-1], (None, None, None))
        if name is None:
            open_.pop()
        elif isinstance(value, dict | list):
            open_.append(_entries(value, way, name, budget))
        elif found := spans(_text_of(value), name, budget):
            field = _shown(way)
            yield from (Finding(field, span.kind) for span in found)
            if budget.spent:
                return


def _entries(held: Any, way: _Way, name: str, budget: Budget) -> Iterator[tuple[Any, _Way, str | None]]:
    """What an object or a list holds with the way to it and the name that tells; a name that is not clean before it."""
    if isinstance(held, list):
        yield from ((inner, (way, at), name) for at, inner in enumerate(held))
        return
    for key, inner in held.items():
        clean, telling = _name(name, key, budget)
        if clean != key:
            yield key, (way, key), ""
        yield inner, (way, key), telling


def _with_clean_names(held: dict[str, Any], name: str, budget: Budget) -> tuple[dict[str, Any], dict[str, str]]:
    """An object without what is found in its names, and the names that tell for what stands under each."""
    copy, telling = {}, {}
    for key, inner in held.items():
        clean, telling_name = _name(name, key, budget)
        copy[clean], telling[clean] = inner, telling_name
    return copy, telling


def _name(holder: str, key: str, budget: Budget) -> tuple[str, str]:
    """A name without what is found in it, and the name that tells for what stands below; remembered for the body."""
    known = budget.names.get((holder, key))
    if known is not None:
        return known
    budget.name()
    fresh = _clean(key, "", budget), below(holder, key)
    if len(key) <= LONGEST_NAME and not budget.spent:
        budget.names[holder, key] = fresh
    return fresh


def _shown(way: _Way) -> str:
    """A way as it is written, `user.phones[0]`; of a long one the ends."""
    steps: list[str | int] = []
    while way is not None:
        way, step = way
        steps.append(step)
    steps.reverse()
    if len(steps) <= 2 * _STEPS:
        return _short(_written(steps))
    return _short(f"{_written(steps[:_STEPS])}…{_written(steps[-_STEPS:])}")


def _short(path: str) -> str:
    half = _LONGEST_PATH // 2
    return path if len(path) <= _LONGEST_PATH else f"{path[:half]}…{path[1 - half :]}"


def _written(steps: Sequence[str | int]) -> str:
    written = [f"[{step}]" if isinstance(step, int) else f".{_shown_name(step)}" for step in steps]
    return "".join(written).removeprefix(".")


def _shown_name(name: str) -> str:
    return _clean(name, "", Budget()) if len(name) <= LONGEST_NAME else "…"


def _clean_leaf(value: Any, name: str, budget: Budget) -> Any:
    text = _text_of(value)
    clean = _clean(text, name, budget)
    return value if clean == text else clean


def _text_of(value: Any) -> str:
    """A text, or the digits of a number that may be one; '' for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and _SHORTEST_NUMBER <= value < _LONGER_THAN_CARDS and value % 1 == 0:
        return str(int(value))
    return ""


def _clean_of_event(text: str, name: str, budget: Budget) -> str:
    budget.next_event()
    return _clean(text, name, budget)


def _clean(text: str, name: str, budget: Budget) -> str:
    for _ in range(_PASSES):
        if budget.spent:
            return text and f"[{budget.kind}]"
        found = spans(text, name, budget)
        if not found:
            break
        text = _replaced(text, found)
    return text


def _replaced(text: str, found: Sequence[Span]) -> str:
    pieces, end = [], 0
    for span in found:
        pieces += [text[end : span.start], f"[{span.kind}]"]
        end = span.end
    return "".join([*pieces, text[end:]])
