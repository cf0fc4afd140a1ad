"""The judge that is no model: a set of rules, for where there is no key, no network, or no wish to pay.

It doesn't understand a word. It sees what shows on the surface, the same way each time, and knows nothing of truth or
of harm. Every score begins somewhere and each rule that holds adds its points; the sum is kept within 1 and 5.

    rule                                          label              relev. corr. helpf. safety overall
    where a score begins                                                4     3     4      5      4
    has an error, or did not succeed              error                -1    -1    -2      0     -2
    holds no letter and no digit                  empty_answer         -3    -2    -3      0     -3
    declines, or says that it didn't understand   refusal              -1    -1    -3      0     -2
    says what the query said                      echo                 -2    -1    -3      0     -2
    says what the answer before said              repeated_answer      -1     0    -2      0     -1
    is in another language or script              language_mismatch    -1     0    -2      0     -2
    shares no word with the query                 no_overlap           -1     0     0      0     -1
    shares half of the query's words                                   +1     0     0      0     +1
    took 3 seconds or more                        slow                  0     0    -1      0      0
    took 8 seconds or more                        slow                  0     0    -1      0     -1

Words are those that carry meaning, compared by their first letters, where the query has two of them and the answer
four; of an answer that failed, declines, echoes or is in another language, neither rule on them holds. The last two
rules add up. No rule knows what is true, so that correctness begins in the middle and only falls; none looks for what
is unsafe, so that safety is 5 throughout.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallymark.packs.voice.judges.reading import Reading, read
from tallymark.spec.evaluation import HIGHEST, LONGEST_RATIONALE, LOWEST, SCORES, Case, Failed, Verdict
from tallymark.spec.evaluator import EvaluatorDraft

#: From how many milliseconds on an answer is slow, and very slow.
SLOW_MS: Final = 3_000
VERY_SLOW_MS: Final = 8_000


@dataclass(frozen=True)
class Rule:
    """What may hold of an answer, and the points that it adds, in the order of `SCORES`. `label`: '' for none."""

    words: str
    label: str
    points: tuple[int, int, int, int, int]
    holds: Callable[[Reading], bool]


BEGIN: Final = (4, 3, 4, 5, 4)

RULES: Final = (
    Rule("has an error, or did not succeed", "error", (-1, -1, -2, 0, -2), lambda it: it.failed),
    Rule("holds no letter and no digit", "empty_answer", (-3, -2, -3, 0, -3), lambda it: it.empty),
    Rule("declines, or says that it didn't understand", "refusal", (-1, -1, -3, 0, -2), lambda it: it.refuses),
    Rule("says what the query said", "echo", (-2, -1, -3, 0, -2), lambda it: it.echoes),
    Rule("says what the answer before said", "repeated_answer", (-1, 0, -2, 0, -1), lambda it: it.repeats),
    Rule("is in another language or script", "language_mismatch", (-1, 0, -2, 0, -2), lambda it: it.foreign),
    Rule("shares no word with the query", "no_overlap", (-1, 0, 0, 0, -1), lambda it: it.unrelated),
    Rule("shares half of the query's words", "", (1, 0, 0, 0, 1), lambda it: it.to_the_point),
    Rule("took 3 seconds or more", "slow", (0, 0, -1, 0, 0), lambda it: it.total_ms >= SLOW_MS),
    Rule("took 8 seconds or more", "slow", (0, 0, -1, 0, -1), lambda it: it.total_ms >= VERY_SLOW_MS),
)


class RulesJudge:
    """Judges by `RULES`; the draft's model, prompt and rubric are of no use to it."""

    async def judge(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        """The verdict, at once."""
        return verdict(case)

    async def close(self) -> None:
        """Nothing is open."""


def verdict(case: Case) -> Verdict:
    """The scores of a case by the rules that hold of it; the rationale names these."""
    seen = read(case)
    held = [rule for rule in RULES if rule.holds(seen)]
    sums = [sum(points) for points in zip(BEGIN, *(rule.points for rule in held), strict=True)]
    scores = {score: min(HIGHEST, max(LOWEST, points)) for score, points in zip(SCORES, sums, strict=True)}
    labels = tuple(dict.fromkeys(rule.label for rule in held if rule.label))
    return Verdict(scores, _rationale(held), labels)


def _rationale(held: list[Rule]) -> str:
    said = "; ".join(rule.words for rule in held)
    return (f"By rules: the answer {said}." if said else "By rules: nothing stands out.")[:LONGEST_RATIONALE]
