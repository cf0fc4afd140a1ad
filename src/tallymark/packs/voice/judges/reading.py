"""What rules look at in a case: its texts as words, and what these show."""

from dataclasses import dataclass
from typing import Final

from tallymark.packs.voice.judges.languages import language_of, script_of
from tallymark.packs.voice.judges.refusals import declines
from tallymark.packs.voice.judges.words import stems, words
from tallymark.spec.evaluation import Case

#: How much of each text is read, in characters.
_READ: Final = 4_000

#: Scripts whose words stand apart, so that those of query and answer can be compared.
_SPACED: Final = ("latin", "cyrillic", "greek")

#: Below so many words that carry meaning, nothing follows from what a query and an answer share: names and numbers
#: are good answers.
_FEWEST_ASKED: Final = 2
_FEWEST_TOLD: Final = 4

#: An answer is in the words of its query if it has so many of them.
_SHARE: Final = 0.5

#: Intents that ask for another language, or for the same answer again.
_TRANSLATING: Final = ("translat", "language")
_REPEATING: Final = ("repeat", "again")


@dataclass(frozen=True)
class Reading:
    """A case as rules see it.

    `shared` is the share of the query's words that carry meaning which the answer has too; None where it says nothing.
    """

    failed: bool
    empty: bool
    refuses: bool
    echoes: bool
    repeats: bool
    foreign: bool
    shared: float | None
    total_ms: float

    @property
    def unrelated(self) -> bool:
        """Whether it answers something, though in no word of its query."""
        return self.shared == 0.0 and self.answers

    @property
    def to_the_point(self) -> bool:
        """Whether it answers in the words of its query."""
        return (self.shared or 0.0) >= _SHARE and self.answers

    @property
    def answers(self) -> bool:
        """Whether it is an answer at all, right or wrong, and one whose words can be compared with the query's."""
        return not (self.failed or self.refuses or self.echoes or self.foreign)


def read(case: Case) -> Reading:
    """What the case shows."""
    query, answer = case.transcript[:_READ], case.response[:_READ]
    asked, told = words(query), words(answer)
    scripts = script_of(query), script_of(answer)
    languages = language_of(asked), language_of(told)
    apart = _differ(scripts) or _differ(languages)
    again = bool(told) and told == words(case.previous_response[:_READ])
    return Reading(
        failed=bool(case.error) or case.success is False,
        empty=not told,
        refuses=declines(answer),
        echoes=bool(told) and asked == told,
        repeats=again and not _means(case.intent, _REPEATING),
        foreign=apart and not _means(case.intent, _TRANSLATING) and not _is_in(languages[1], case.language),
        shared=None if apart or not all(script in _SPACED for script in scripts) else _shared(asked, told),
        total_ms=case.total_ms or 0.0,
    )


def _means(intent: str, beginnings: tuple[str, ...]) -> bool:
    lowered = intent.lower()
    return any(beginning in lowered for beginning in beginnings)


def _differ(pair: tuple[str, str]) -> bool:
    """Whether both are known and not the same."""
    return all(pair) and pair[0] != pair[1]


def _is_in(language: str, expected: str) -> bool:
    """Whether a language that was told from a text is the one that the case names, such as `de-DE`."""
    return bool(language) and language == expected.lower().partition("-")[0].partition("_")[0]


def _shared(asked: list[str], told: list[str]) -> float | None:
    about, said = stems(asked), stems(told)
    if len(about) < _FEWEST_ASKED or len(said) < _FEWEST_TOLD:
        return None
    return len(about & said) / len(about)
