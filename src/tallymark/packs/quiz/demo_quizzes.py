"""The quizzes of the demo: their questions, as the three-parameter logistic model of item response theory has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final


@dataclass(frozen=True)
class Question:
    """A question with its answers, the right one first, and what it takes to know that.

    `hard` and `sharp` are the ability at which half of those who don't guess know it, and how fast that rises; those
    of a question whose key is wrong know it less, the abler they are. `seconds` is about how long an answer takes.
    """

    name: str
    answers: tuple[str, ...]
    hard: float
    sharp: float = 1.2
    seconds: float = 20

    def chance(self, ability: float) -> float:
        """How likely somebody of that ability gives the right answer: one in so many guesses it."""
        guessed = 1 / len(self.answers)
        return guessed + (1 - guessed) / (1 + exp(-self.sharp * (ability - self.hard)))


@dataclass(frozen=True)
class Quiz:
    """A quiz: its share of the attempts, its questions, and the chance that somebody gives up at each of them.

    `marked`: its answers are right or wrong. `asks_address`: which share of those who finish leave their address for
    the result; 0 where nobody is asked.
    """

    name: str
    title: str
    owner: str
    weight: int
    gives_up: float
    questions: Sequence[Question]
    marked: bool = True
    asks_address: float = 0.0


QUIZZES: Final[Sequence[Quiz]] = (
    Quiz(
        "algebra-1", "Algebra, part 1", "teacher-ada", 5, 0.012,
        (
            Question("order-of-operations", ("14", "20", "11", "17"), -1.4, seconds=16),
            Question("negative-product", ("6", "-6", "5", "-5"), -0.9, seconds=12),
            Question("fractions", ("7/12", "2/7", "3/12", "1/6"), -0.2, seconds=34),
            Question("linear-equation", ("x = 3", "x = -3", "x = 9", "x = 1/3"), 0.0, 1.8, 40),
            Question("slope", ("2", "-2", "1/2", "4"), 0.4, 1.5, 36),
            Question("word-problem", ("18", "24", "12", "36"), 0.9, 1.6, 75),
            Question("square-root", ("only 5", "5 and -5", "25", "none"), 0.2, -0.7, 22),
            Question("quadratic", ("-2 and 3", "2 and -3", "1 and -6", "-1 and 6"), 1.3, 1.7, 90),
        ),
    ),
    Quiz(
        "fire-safety", "Fire safety, every year", "teacher-bo", 3, 0.006,
        (
            Question("emergency-number", ("112", "110", "115"), -3.2, 0.9, 8),
            Question("first-step", ("warn others", "open windows", "fetch water"), -1.2, seconds=15),
            Question("electrical-fire", ("carbon dioxide", "water", "foam", "sand"), 0.1, 1.3, 20),
            Question("meeting-point", ("car park", "entrance", "canteen"), -1.8, seconds=10),
            Question("smoke", ("crawl", "run", "wait", "jump"), -1.0, seconds=11),
        ),
    ),
    Quiz(
        "find-your-bike", "Which bicycle suits you?", "", 4, 0.05,
        (
            Question("distance", ("under 5 km", "5 to 20 km", "more"), 0.0, 0.1, 6),
            Question("hills", ("yes", "no"), 0.0, 0.1, 4),
            Question("luggage", ("none", "a bag", "children"), 0.0, 0.1, 6),
            Question("budget", ("500", "1000", "2000", "more"), 0.0, 0.1, 9),
        ),
        marked=False,
        asks_address=0.31,
    ),
)  # fmt: skip
