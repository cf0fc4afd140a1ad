"""An xAPI statement, as far as quizzes read it, out of JSON.

The form is that of the Experience API 1.0.3 and 2.0 (IEEE 9274.1.1), part two, section 2.2.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, Final
from uuid import UUID

import msgspec

from tallymark.errors import BadRequest


class BadStatement(BadRequest):
    """A statement that is none: what is wrong with which of a request's."""

    code = "bad_statement"


class Account(msgspec.Struct, rename="camel"):
    """A user of some system."""

    home_page: str
    name: str


class Agent(msgspec.Struct, rename="camel"):
    """Who did it: a person, or a group."""

    object_type: str = "Agent"
    mbox: str | None = None
    mbox_sha1sum: str | None = msgspec.field(default=None, name="mbox_sha1sum")
    openid: str | None = None
    account: Account | None = None
    member: list[Any] | None = None


class Verb(msgspec.Struct):
    """What was done."""

    id: str


class Definition(msgspec.Struct, rename="camel"):
    """What an activity is; of a question, what it offers."""

    type: str | None = None
    interaction_type: str | None = None
    choices: list[Any] | None = None


class Activity(msgspec.Struct, rename="camel"):
    """What it was done to. Other things than activities may have no `id`."""

    id: str = ""
    object_type: str = "Activity"
    definition: Definition | None = None


class Score(msgspec.Struct):
    """`scaled` is -1 to 1."""

    scaled: float | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


class Result(msgspec.Struct):
    """How it went."""

    score: Score | None = None
    success: bool | None = None
    response: str | None = None
    duration: str | None = None


class ContextActivities(msgspec.Struct):
    """What the activity is part of."""

    parent: Activity | list[Activity] | None = None
    grouping: Activity | list[Activity] | None = None


class Context(msgspec.Struct, rename="camel"):
    """`registration` stands for the attempt."""

    registration: str | None = None
    context_activities: ContextActivities | None = None


class Statement(msgspec.Struct):
    """Someone did something to something."""

    actor: Agent
    verb: Verb
    object: Activity
    id: str = ""
    result: Result | None = None
    context: Context | None = None
    timestamp: str | None = None

    @property
    def at(self) -> datetime | None:
        """When, None where it doesn't say."""
        if self.timestamp is None:
            return None
        at = datetime.fromisoformat(self.timestamp)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)

    @property
    def who(self) -> str | None:
        """A text for whoever did it, the same for an address and its hash; None for a group without a name."""
        actor = self.actor
        if actor.mbox is not None:
            actor = Agent(mbox_sha1sum=sha1(actor.mbox.encode(), usedforsecurity=False).hexdigest())
        if actor.mbox_sha1sum is not None:
            return f"mbox_sha1sum:{actor.mbox_sha1sum.lower()}"
        if actor.account is not None:
            return f"{actor.account.home_page}|{actor.account.name}"
        return actor.openid


_NAMES_OF_ACTORS: Final = ("mbox", "mbox_sha1sum", "openid", "account")


def statement_of(said: Any, place: int) -> Statement:
    """The statement that an object says, `place` in its request; its id in lower case. Errors: `BadStatement`."""
    try:
        statement = msgspec.convert(_without_nulls(said), Statement)
        statement.id = uuid_of("id", statement.id) if statement.id else ""
        _check(statement)
    except msgspec.ValidationError as error:
        raise BadStatement(f"Statement {place}: {str(error).rstrip('.')}.") from None
    return statement


def uuid_of(name: str, text: str) -> str:
    """A UUID as it is compared. Errors: `msgspec.ValidationError`."""
    try:
        return str(msgspec.convert(text, UUID))
    except msgspec.ValidationError:
        raise msgspec.ValidationError(f"`{name}` is no UUID") from None


def _without_nulls(said: Any) -> Any:
    """What is null is not said."""
    if isinstance(said, Mapping):
        return {name: _without_nulls(value) for name, value in said.items() if value is not None}
    return [_without_nulls(value) for value in said] if isinstance(said, list) else said


def _check(statement: Statement) -> None:
    """Raises `msgspec.ValidationError` for what is no statement."""
    _check_actor(statement.actor)
    if ":" not in statement.verb.id:
        raise msgspec.ValidationError("`verb.id` is no IRI")
    if statement.object.object_type == "Activity" and ":" not in statement.object.id:
        raise msgspec.ValidationError("`object.id` is no IRI")
    if statement.context is not None and statement.context.registration is not None:
        statement.context.registration = uuid_of("context.registration", statement.context.registration)
    if statement.result is not None and statement.result.score is not None:
        _check_score(statement.result.score)
    try:
        _ = statement.at
    except (ValueError, OverflowError):
        raise msgspec.ValidationError("`timestamp` is no ISO 8601 time") from None


def _check_actor(actor: Agent) -> None:
    named = [name for name in _NAMES_OF_ACTORS if getattr(actor, name) is not None]
    account_name = None if actor.account is None else actor.account.name
    if "" in (actor.mbox_sha1sum, actor.openid, account_name):  # all whom it names would be one user
        raise msgspec.ValidationError("`actor` has an identifier that is empty")
    if len(named) > 1 or not (named or (actor.object_type == "Group" and actor.member)):
        raise msgspec.ValidationError(f"`actor` has exactly one of {', '.join(_NAMES_OF_ACTORS)}")
    if actor.mbox is not None and not actor.mbox.startswith("mailto:"):
        raise msgspec.ValidationError("`actor.mbox` begins with mailto:")


def _check_score(score: Score) -> None:
    if score.scaled is not None and not -1 <= score.scaled <= 1:
        raise msgspec.ValidationError("`result.score.scaled` is -1 to 1")
    bounds = [each for each in (score.min, score.raw, score.max) if each is not None]
    if bounds != sorted(bounds):
        raise msgspec.ValidationError("`result.score.raw` lies between `min` and `max`")
