"""Carries out a smoke test over HTTP, and tells of every step what came of it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from tallymark.cli.connection import Connection, Unreachable
from tallymark.cli.smoke_problems import Answer, Problem, refused, unexpected, ungrown
from tallymark.spec.smoke import Call, Growth, Smoke, Step

#: Between two looks at numbers that are to grow, in seconds. What has grown has to stay so for another look.
_PAUSE: Final = 0.3
_LOOKS: Final = 2

_UNREACHABLE: Final = "Is the server running there, and can this machine reach it? Nothing more was tried."


@dataclass(frozen=True)
class Finding:
    """What came of a step: `problem` is '' where all was well. `status` is None where nothing was answered."""

    pack: str
    step: str
    request: str
    status: int | None
    problem: str
    advice: str

    @property
    def ok(self) -> bool:
        """Whether all was well."""
        return not self.problem

    @property
    def answered(self) -> bool:
        """Whether the answer was a success, be it the right one or not."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Tester:
    """Tests a pack. Numbers may take so many `seconds` to grow; `begin` is told of a step before, `end` after it."""

    connection: Connection
    pack: str
    seconds: float
    begin: Callable[[str], None]
    end: Callable[[Finding], None]

    def test(self, smoke: Smoke) -> None:
        """All of a test. Errors: `Unreachable`, after that was told."""
        try:
            for step in smoke.prepare:
                self.take(step)
            before = [self._ask(growth.name, growth.call) for growth in smoke.shown]
            taken = all([self.take(step).answered for step in smoke.samples])
            until = time.monotonic() + (self.seconds if taken else 0)
            for growth, was in zip(smoke.shown, before, strict=True):
                self._await(growth, was, until)
        finally:
            for step in smoke.tidy:
                self.take(step)

    def take(self, step: Step) -> Finding:
        """What came of a step, once it is told. Errors: `Unreachable`."""
        _, finding = self.look(step)
        self.end(finding)
        return finding

    def look(self, step: Step) -> tuple[Any, Finding]:
        """The last body of a step, and what came of it, which is not told yet. Errors: `Unreachable`."""
        answers = [self._ask(step.name, step.call) for _ in range(step.times)]
        last = answers[-1]
        return last.body, self._finding(step.name, step.call, last.status, unexpected(step, answers))

    def _await(self, growth: Growth, before: Answer, until: float) -> None:
        """Looks until the numbers have grown, or can't any more."""
        held = 0
        while True:
            now = self._ask(growth.name, growth.call)
            problem = refused(before) or refused(now) or ungrown(growth, before.body, now.body)
            held = 0 if problem else held + 1
            if held == _LOOKS or (problem and (problem.final or time.monotonic() > until)):
                self.end(self._finding(growth.name, growth.call, now.status, problem))
                return
            time.sleep(_PAUSE)

    def _ask(self, name: str, call: Call) -> Answer:
        self.begin(f"{self.pack}: {name}")
        try:
            return Answer.of(self.connection.send(call.method, call.path, params=dict(call.params), json=call.json))
        except Unreachable as error:
            self.end(self._finding(name, call, None, Problem(error.message, _UNREACHABLE)))
            raise

    def _finding(self, name: str, call: Call, status: int | None, problem: Problem | None) -> Finding:
        text, advice = ("", "") if problem is None else problem[:2]
        return Finding(self.pack, name, _written(call), status, text, advice)


def _written(call: Call) -> str:
    """A call as people read it."""
    query = f"?{urlencode(call.params, safe=':,@')}" if call.params else ""
    body = "" if call.json is None else f" {json.dumps(call.json, ensure_ascii=False)}"
    return f"{call.method} {call.path}{query}{body}"
