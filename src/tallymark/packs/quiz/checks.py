"""What properties of quizzes may say, and how they are kept."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallymark.packs.loose import Refused
from tallymark.packs.quiz import names
from tallymark.spec.event import Reason

#: What stands between several answers that were chosen together, as in xAPI.
SEPARATOR: Final = "[,]"

#: Seconds that an answer or an attempt took, where they stand in place of milliseconds.
SPENT: Final = "timeSpent"

_LARGEST: Final = 1e12
_LONGEST_ID: Final = 200
_MOST_OPTIONS: Final = 1_000
_PERCENT: Final = 100

Check = Callable[[Any, str], Any]


def checked(known: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    """The properties as they are kept, of values with what their sender calls them. Errors: `Refused`."""
    kept = {name: CHECKS[name](value, called) for name, (value, called) in known.items() if value != ""}
    seconds = kept.pop(SPENT, None)
    if seconds is not None:
        kept.setdefault(names.TIME, round(seconds * 1_000, 3))
    return kept


def checked_together(event: str, kept: Mapping[str, Any]) -> None:
    """Raises `Refused` where the event lacks what it needs, or its score is none of its kind."""
    if names.QUIZ not in kept:
        raise Refused(Reason.MALFORMED, f"`{names.QUIZ}` is missing: which quiz it is about.")
    if event == names.ANSWERED and names.QUESTION not in kept:
        raise Refused(Reason.MALFORMED, f"`{names.QUESTION}` is missing: which question was answered.")
    if names.SCORE in kept:
        _check_score(kept[names.SCORE], kept.get(names.MAX_SCORE), event == names.ANSWERED)


def _check_score(score: float, highest: float | None, answer: bool) -> None:
    """A score is at most the highest there is; a wrong answer may cost as much as the right one gives."""
    if highest is None:
        highest = 1 if answer else _PERCENT
        without = f" Without `{names.MAX_SCORE}` that is {highest}."
    else:
        without = ""
    if score > highest:
        raise Refused(Reason.BAD_VALUE, f"`{names.SCORE}` is at most `{names.MAX_SCORE}`.{without}")
    if score < (-highest if answer else 0):
        least = f"-`{names.MAX_SCORE}`" if answer else "0"
        raise Refused(Reason.BAD_VALUE, f"`{names.SCORE}` is at least {least}.{without}")


def _id(value: Any, called: str) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_ID:
        raise Refused(Reason.MALFORMED, f"`{called}` is a text of at most {_LONGEST_ID} characters, or a whole number.")
    return text


def _answer(value: Any, called: str) -> str:
    """A text; of several that were chosen together, all of them in order."""
    if isinstance(value, list):
        return SEPARATOR.join(sorted(_choice(one, called) for one in value))
    return _choice(value, called)


def _choice(value: Any, called: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise Refused(Reason.MALFORMED, f"`{called}` is a text, a number, true, false, or a list of these.")
    return str(value)


def _flag(value: Any, called: str) -> bool:
    if not isinstance(value, bool | int) or value not in (0, 1):
        raise Refused(Reason.MALFORMED, f"`{called}` is true or false.")
    return bool(value)


def _options(value: Any, called: str) -> int:
    """How many; of a list its length."""
    count = len(value) if isinstance(value, list) else value
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_OPTIONS:
        raise Refused(Reason.BAD_VALUE, f"`{called}` is how many answers are offered, 1 to {_MOST_OPTIONS}.")
    return count


def _number(value: Any, called: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= _LARGEST:
        raise Refused(Reason.BAD_VALUE, f"`{called}` is a number.")
    number: float = value
    return number


def _amount(value: Any, called: str) -> float:
    number = _number(value, called)
    if number < 0:
        raise Refused(Reason.BAD_VALUE, f"`{called}` is 0 or more.")
    return number


def _positive(value: Any, called: str) -> float:
    number = _number(value, called)
    if number <= 0:
        raise Refused(Reason.BAD_VALUE, f"`{called}` is more than 0.")
    return number


CHECKS: Final[Mapping[str, Check]] = {
    **dict.fromkeys((names.QUIZ, names.ATTEMPT_ID, names.QUESTION), _id),
    **dict.fromkeys((names.CORRECT, names.SKIPPED), _flag),
    **dict.fromkeys((names.TIME, SPENT), _amount),
    names.ANSWER: _answer,
    names.OPTIONS: _options,
    names.SCORE: _number,
    names.MAX_SCORE: _positive,
}
