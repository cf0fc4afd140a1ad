"""What is wrong with an answer that a smoke test got, and what to do about it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import httpx

from tallymark.cli.connection import Refused
from tallymark.spec.smoke import Growth, Step

#: Of a value that an error shows, so many characters.
_LONGEST: Final = 200
_NOTHING: Final = object()

_KEY: Final = "A test sends and reads: give it an admin key, of the project or of the installation (--key)."
_OTHER: Final = (
    "Compare with docs/api.md: is it a Tallymark of this version, with nothing in front that changes answers?"
)
_BROKEN: Final = "The server's log says what went wrong."
_LATE: Final = (
    "What was taken is not in the answer: `/ready` says whether the engine is away, `tallymark doctor` on the "
    "server's machine which days wait for a refresh."
)
_TOO_MANY: Final = "Something counts more than once, or another smoke test runs in the same project."

#: What to do about a status.
_ADVICE: Final[Mapping[int, str]] = {
    401: _KEY,
    403: _KEY,
    404: "Is it a Tallymark of this version, and has the project the pack (tallymark projects show)?",
    409: "Another process is at it: try again.",
    429: "The server takes no more for now: try again later.",
    503: "`/ready` says which part of the server is away.",
}


class Problem(NamedTuple):
    """What was expected and what came instead, and what to do. It may pass, unless it is `final`."""

    text: str
    advice: str
    final: bool = True


class Answer(NamedTuple):
    """A status, what the body says (JSON decoded, or text), and what it says of a failure."""

    status: int
    body: Any
    failure: str

    @classmethod
    def of(cls, response: httpx.Response) -> "Answer":
        """That of a response."""
        try:
            body = response.json()
        except ValueError:
            body = response.text
        return cls(response.status_code, body, "" if response.is_success else Refused(response).message)


def unexpected(step: Step, answers: Sequence[Answer]) -> Problem | None:
    """What is wrong with the answers to a step."""
    return next((found for answer in answers for found in _wrong(step, answer)), None) or _differing(step, answers)


def refused(answer: Answer, expected: Sequence[int] = (200,)) -> Problem | None:
    """What is wrong with the status of an answer."""
    if answer.status in expected:
        return None
    wanted = " or ".join(map(str, expected))
    text = f"Expected status {wanted}, got {answer.status}. {answer.failure}".rstrip()
    return Problem(text, _ADVICE.get(answer.status, _BROKEN if answer.status >= 500 else _OTHER))


def ungrown(growth: Growth, before: Any, now: Any) -> Problem | None:
    """Which number has not grown as it should between two answers."""
    for path, by in growth.by.items():
        was, found = at(before, path), at(now, path)
        wanted, got = _number(was) + by, _number(found)
        if got != wanted and not (growth.shared and got > wanted):
            least = "at least " if growth.shared else ""
            text = f"Expected {path} to grow by {by} to {least}{wanted:g}, got {_shown(found)}."
            return Problem(text, _TOO_MANY if got > wanted else _LATE, final=got > wanted)
    return None


def at(said: Any, path: str) -> Any:
    """What stands at a path of JSON; a value that is equal to no other where nothing does."""
    for part in path.split("."):
        if isinstance(said, Mapping):
            said = said.get(part, _NOTHING)
        elif isinstance(said, list) and part.isdigit() and int(part) < len(said):
            said = said[int(part)]
        else:
            return _NOTHING
    return said


def _wrong(step: Step, answer: Answer) -> Iterator[Problem]:
    problem = refused(answer, step.status)
    if problem is not None:
        yield problem
        return
    for path, wanted in step.says.items():
        found = at(answer.body, path)
        if found != wanted:
            yield Problem(f"Expected {path} to be {_shown(wanted)}, got {_shown(found)}.", _OTHER)


def _differing(step: Step, answers: Sequence[Answer]) -> Problem | None:
    for path in step.same:
        told = [_shown(at(answer.body, path)) for answer in answers]
        if len({*told}) > 1:
            return Problem(f"Expected {path} to stay the same, got {', then '.join(told)}.", _OTHER)
    return None


def _number(found: Any) -> float:
    """A number that was found; 0 for what nothing has counted yet."""
    return found if isinstance(found, int | float) else 0


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
