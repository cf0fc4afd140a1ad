"""How much of a body is looked at for personal data: enough for any that is honest, too little to keep a server busy.

A unit is about 2.5 µs of work. Beyond the budget what is left is taken for personal data without looking.
"""

from dataclasses import dataclass, field
from typing import Final

#: What one event may use up on candidates: a thousand, or two hundred telephone numbers.
OF_EVENT: Final = 6_000
#: What a body may use up in all; and a column of texts that is looked at by itself.
OF_BODY: Final = 800_000
OF_COLUMN: Final = 200_000

_EVENT: Final = 3
_NAME: Final = 4
_CANDIDATE: Final = 6
#: Whether a telephone number was given out is known by a library's tables.
_BY_TABLES: Final = 28
#: Characters of a candidate and of a text, and percent signs of a text, that cost a unit.
_OF_CANDIDATE, _OF_TEXT, _OF_ESCAPES = 32, 40, 2


@dataclass
class Budget:
    """What is left, in units; of the event that is looked at and of the whole body.

    `kind` is that of the last candidate. `names` are those that were looked at: as they are shown, and what they tell
    with the name above.
    """

    of_event: int = OF_EVENT
    of_body: int = OF_BODY
    kind: str = "secret"
    names: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._event, self._body = self.of_event, self.of_body

    @property
    def used(self) -> int:
        """The units that were used up in all."""
        return self.of_body - self._body

    @property
    def spent(self) -> bool:
        """Whether nothing more is to be looked at, of this event or of all."""
        return self._event < 0 or self._body < 0

    def next_event(self) -> None:
        """The next event has a budget of its own, as far as the body has one."""
        self._event = self.of_event
        self._body -= _EVENT

    def judge(self, kind: str, length: int, by_tables: bool = False) -> bool:
        """Whether a candidate of so many characters may be judged."""
        cost = (_BY_TABLES if by_tables else _CANDIDATE) + length // _OF_CANDIDATE
        self._event -= cost
        self._body -= cost
        self.kind = kind
        return not self.spent

    def text(self, text: str) -> None:
        """A text is looked at, once."""
        self._body -= 1 + len(text) // _OF_TEXT + text.count("%") // _OF_ESCAPES

    def name(self) -> None:
        """A name is looked at that was not yet seen in the body."""
        self._body -= _NAME
