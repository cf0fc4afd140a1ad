"""Nothing that a client is told makes it raise, and every call is counted once; what it is made with may be refused."""

import inspect
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.client import AsyncClient, Client, Problem
from tallymark.client.recorder import Recorder
from tests.client.stub import PATIENCE, Stub

NAMES = [name for name in vars(Recorder) if not name.startswith("_")]


class Hostile:
    """An object that raises wherever it is touched."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError("touched")

    __eq__ = __bool__ = __len__ = __iter__ = __str__ = __repr__ = __float__ = __getitem__ = _raise
    __hash__ = None  # type: ignore[assignment]


class HostileMapping(Mapping[str, Any]):
    """A mapping that raises when it is read."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


def _deep() -> list[Any]:
    inner: list[Any] = []
    for _ in range(100_000):
        inner = [inner]
    return inner


class Strange(Enum):
    """What can't be shown, by its name."""

    OBJECT = auto()
    HOSTILE = auto()
    CLASS = auto()
    MAPPING = auto()
    ENDLESS = auto()
    DEEP = auto()
    FUNCTION = auto()
    RANGE = auto()


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
DEEP = _deep()

REAL = dict(zip(Strange, (object(), Hostile(), Hostile, HostileMapping(), ENDLESS, DEEP, print, range(3)), strict=True))


def real(drawn: Any) -> Any:
    """The same with what is strange in place of its name."""
    if isinstance(drawn, list):
        return [real(each) for each in drawn]
    if isinstance(drawn, dict):
        return {name: real(each) for name, each in drawn.items()}
    return REAL[drawn] if isinstance(drawn, Strange) else drawn


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5),
        st.datetimes(), st.dates(), st.complex_numbers(), st.decimals(), st.uuids(),
        st.text(alphabet=st.characters(categories=["Cs"]), max_size=3),
        st.sampled_from(list(Strange)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


lanes = st.sampled_from(["events", "web", "sdk", "ab", "voice", "quiz"])


def test_every_method_is_tried() -> None:
    assert {"capture", "track", "page_view", "web_event", "count", "exposure", "app_event"} <= set(NAMES)
    assert {"voice_query", "voice_outcome"} <= set(NAMES)
    assert {"quiz_started", "question_answered", "quiz_submitted", "quiz_abandoned"} <= set(NAMES)


@pytest.fixture(scope="module")
def client() -> AsyncClient:
    """A client in which everything stays, as no loop runs."""
    return AsyncClient("http://127.0.0.1:9", queue_events=1_000_000)


@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_argument_makes_a_call_raise(client: AsyncClient, name: str, data: st.DataObject) -> None:
    method = getattr(client, name)
    told = {
        parameter.name: real(data.draw(lanes | anything if parameter.name == "lane" else anything))
        for parameter in inspect.signature(method).parameters.values()
    }
    before = client.stats()
    method(**told)
    method(**told)
    after = client.stats()
    assert after.calls == after.queued + after.invalid == before.calls + 2
    assert after.queued - before.queued in (0, 2)


def test_what_can_not_be_told_spoils_nothing_else() -> None:
    problems: list[Problem] = []
    with Stub() as stub, Client(stub.url, on_error=problems.append) as client:
        client.track("good")
        for value in (object(), ENDLESS, DEEP, "\udc80", HostileMapping(), {(1, 2): 3}):
            client.track("bad", properties={"x": value})
        client.track("bad", value=float("nan"))
        client.track("bad", properties={"x": "x" * 1_000_001})
        client.capture("no such lane", {})
        client.track("good")
        assert client.flush(PATIENCE)
        assert [event["event"] for event in stub.events] == ["good", "good"]
        assert (client.stats().accepted, client.stats().invalid) == (2, 9)
    assert [problem.message for problem in problems] == [
        "objects of type object are not JSON", "RecursionError", "RecursionError", "UnicodeEncodeError",
        "objects of type HostileMapping are not JSON", "objects of type tuple are not JSON",
        "value is no finite number", problems[7].message, "KeyError",
    ]  # fmt: skip
    assert "are more than the 1000000 of a request" in problems[7].message


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        ("", {}), (None, {}), ("metrics.example", {}), ("ftp://a.example", {}), ("https://", {}), ("http://a:b", {}),
        ("https://a.example/?x=1", {}),
        ("https://a.example", {"key": ""}),
        ("https://a.example", {"key": "tm\n"}),
        ("https://a.example", {"project": 3}),
        ("https://a.example", {"batch_events": 0}),
        ("https://a.example", {"queue_events": "many"}),
        ("https://a.example", {"timeout": float("nan")}),
        ("https://a.example", {"retries": -1}),
        ("https://a.example", {"backoff": -0.1}),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_refused_at_the_start(kind: Any, endpoint: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is a|is the address"):
        kind(endpoint, **options)
