"""The statements that sum up attempts for item analysis; what comes of the sums is computed elsewhere.

Parameters: those of `policy.chosen_attempts`; of `answers` also `question` and `limit`. Of several answers to a
question within an attempt the last one counts. Sums of marks are rounded to billionths, so that equal ones are equal.
"""

from typing import Final

from tallymark.engine.expression import condition_sql, number_of, text_of
from tallymark.engine.source import instant
from tallymark.packs.quiz import names
from tallymark.packs.quiz.policy import ATTEMPT_KEY, Policy, chosen_attempts
from tallymark.spec.condition import Prop, event, flag, human

#: Attempts and answers beyond what fits in so many bytes are grouped on disk.
_SPILL: Final = f"SETTINGS max_bytes_before_external_group_by = {300 << 20}"

_DIGITS: Final = 9


def scores(policy: Policy) -> str:
    """One row on the grades of chosen attempts.

    Columns: how many attempts were submitted, and how many not; how many grades there are, their mean and median, sums
    of their differences from the mean squared, cubed and to the fourth, how many lie in each tenth.
    """
    grades = (
        "SELECT countIf(submitted) AS done, countIf(NOT submitted) AS undone, "
        "groupArrayIf(assumeNotNull(grade), submitted AND isNotNull(grade)) AS grades, "
        "quantileExactInclusiveIf(0.5)(grade, submitted) AS median "
        f"FROM {chosen_attempts(policy, apart=True)}"
    )
    mean = "if(arrayMin(grades) = arrayMax(grades), arrayMin(grades), arrayAvg(grades)) AS mean"
    powers = ", ".join(f"arraySum(g -> pow(g - mean, {power}), grades)" for power in (2, 3, 4))
    tenths = "arrayMap(g -> toUInt8(greatest(0, least(9, floor(g / 10)))), grades)"
    return (
        f"SELECT done, undone, length(grades), {mean}, median, {powers}, "
        f"arrayMap(tenth -> countEqual({tenths}, tenth), range(10)) FROM ({grades})"
    )


def retakes() -> str:
    """One row: how many learners submitted twice or more with a grade, and their mean of last less first grade."""
    begin = "(begun_at, event_id)"
    gains = (
        f"SELECT argMax(grade, {begin}) - argMin(grade, {begin}) AS gain FROM {chosen_attempts(Policy.ALL)} "
        "WHERE submitted AND actor != 0 AND isNotNull(grade) GROUP BY actor HAVING count() > 1"
    )
    return f"SELECT count(), avg(gain) FROM ({gains})"


def items(policy: Policy) -> str:
    """A row for each question in the order that attempts meet them, and one without a name for the sums of marks.

    Columns: see `_SUMS`; after them the attempts that were not submitted and ended there.
    """
    return (
        f"SELECT {', '.join(_SUMS)}, ended FROM (SELECT question, {_GATHERED} FROM {_marks(policy)} GROUP BY question) "
        f"ORDER BY place, question {_SPILL}"
    )


def answers(policy: Policy) -> str:
    """The most frequent answers to `question` in submitted attempts, and after them all others as one.

    Columns: rank, from 1; answer; whether it stands for all others; how many attempts chose it; whether it is marked
    right, null where nobody's is marked; means of their marks and rests; how many different answers there are.
    """
    chosen = (
        "SELECT answer, count() AS n, max(correct) AS correct, sum(mark) AS marks, sum(rest) AS rests "
        f"FROM {_marks(policy, _TEXT)} "
        "WHERE submitted AND NOT skipped AND question = {question:String} GROUP BY answer"
    )
    ranked = (
        "SELECT *, row_number() OVER (ORDER BY n DESC, answer) AS place, count() OVER () AS different, "
        f"place > {{limit:UInt32}} AS other FROM ({chosen})"
    )
    return (
        "SELECT min(place) AS rank, if(other, '', any(answer)), other, sum(n) AS chosen, "
        "if(other, NULL, any(correct)), sum(marks) / chosen, sum(rests) / chosen, any(different) "
        f"FROM ({ranked}) GROUP BY other, if(other, 0, place) ORDER BY rank {_SPILL}"
    )


_ALIKE: Final = "least = most OR least_rest = most_rest"
_SORTED: Final = "arraySum((a, b) -> (a - mean) * (b - rest_mean), arraySort(own), arraySort(rests)) / (n - 1)"

#: Of what `_GATHERED` gives, a column for each field of `ItemSums` but the last; what doesn't vary has a variance of 0.
_SUMS: Final = (
    "question", "n", "skips", "marked", "max_mark", "offered", "mean", "rest_mean",
    "if(least = most, 0, variance)", "if(least_rest = most_rest, 0, rest_variance)",
    f"if({_ALIKE}, 0, covariance)", f"if({_ALIKE}, 0, {_SORTED})", "times[1]", "times[2]",
)  # fmt: skip

_GATHERED: Final = (
    "countIf(submitted) AS n, countIf(submitted AND skipped) AS skips, countIf(submitted AND is_marked) AS marked, "
    "ifNull(max(highest), 1) AS max_mark, max(options) AS offered, "
    "avgIf(mark, submitted) AS mean, varSampStableIf(mark, submitted) AS variance, "
    "minIf(mark, submitted) AS least, maxIf(mark, submitted) AS most, "
    "avgIf(rest, submitted) AS rest_mean, varSampStableIf(rest, submitted) AS rest_variance, "
    "minIf(rest, submitted) AS least_rest, maxIf(rest, submitted) AS most_rest, "
    "covarSampStableIf(mark, rest, submitted) AS covariance, "
    "groupArrayIf(mark, submitted) AS own, groupArrayIf(rest, submitted) AS rests, "
    "quantilesExactInclusiveIf(0.5, 0.9)(time, submitted AND NOT skipped) AS times, "
    "countIf(NOT submitted AND question = last) AS ended, avg(position) AS place"
)


#: Of a question within an attempt: what `_marks` tells.
_SHOWN: Final = ("question", "mark", "is_marked", "skipped", "highest", "options", "time", "answer", "correct")


def _marks(policy: Policy, answer: str = "''") -> str:
    """A row for each question that an attempt was shown, and one without a name for each attempt, with the sum.

    `answer` is the text to keep of an answer.
    """
    shown = ", ".join(f"shown.{place} AS {name}" for place, name in enumerate(_SHOWN, 1))
    whole = "tuple('', total, 1, 0, NULL, NULL, NULL, '', NULL)"
    return (
        f"(SELECT submitted, last, position, {shown}, round(total - mark, {_DIGITS}) AS rest "
        f"FROM (SELECT submitted, last, total, arrayPushFront(questions, {whole}) AS all "
        f"FROM {_by_attempt(policy, answer)}) ARRAY JOIN all AS shown, arrayEnumerate(all) AS position)"
    )


def _by_attempt(policy: Policy, answer: str) -> str:
    """A row for each attempt that was shown a question: its questions as they were met, the last, the sum of marks."""
    latest = "arrayFilter((q, nth) -> nth = 1, arrayReverse(said), arrayEnumerateUniq(arrayReverse(said.1)))"
    met = f"SELECT submitted, said[-1].1 AS last, arraySort(q -> indexOf(said.1, q.1), {latest}) AS questions"
    return (
        f"(SELECT submitted, last, questions, round(arraySum(q -> q.2, questions), {_DIGITS}) AS total "
        f"FROM ({met} FROM {_said(policy, answer)}))"
    )


def _said(policy: Policy, answer: str) -> str:
    """A row for each attempt with all that was said in it, in order.

    Gathered and sorted within each attempt, which is many times as fast as a group for each question of each.
    """
    return (
        "(SELECT any(c.submitted) AS submitted, "
        "arrayMap(each -> each.2, arraySort(each -> each.1, groupArray(tuple(e.moment, e.shown)))) AS said "
        f"FROM {_answers(answer)} AS e INNER JOIN "
        f"(SELECT DISTINCT sipHash64(attempt) AS id, submitted FROM {chosen_attempts(policy, apart=True)}) AS c "
        "ON e.id = c.id GROUP BY c.id)"
    )


def _answers(answer: str) -> str:
    """Every answer to a question of the quiz since the window began: an attempt may go on after the window's end."""
    shown = f"tuple(question, {_MARK}, {_IS_MARKED}, {_SKIPPED}, {_HIGHEST}, {_OPTIONS}, {_TIME}, {answer}, {_CORRECT})"
    return (
        f"(SELECT sipHash64({ATTEMPT_KEY}) AS id, {_QUESTION} AS question, tuple(occurred_at, event_id) AS moment, "
        f"{shown} AS shown FROM events FINAL WHERE project = {{project:UInt32}} AND occurred_at >= {instant('start')} "
        f"AND {condition_sql(event(names.ANSWERED) & human())} AND {text_of(Prop(names.QUIZ))} = {{quiz:String}} "
        "AND question != '')"
    )


_QUESTION: Final = text_of(Prop(names.QUESTION))
_SKIPPED: Final = condition_sql(flag(names.SKIPPED))
_SCORE: Final = number_of(Prop(names.SCORE))
_HIGHEST: Final = f"if({number_of(Prop(names.MAX_SCORE))} > 0, {number_of(Prop(names.MAX_SCORE))}, NULL)"
_OPTIONS: Final = f"if({number_of(Prop(names.OPTIONS))} >= 1, floor({number_of(Prop(names.OPTIONS))}), NULL)"
_TIME: Final = f"if({number_of(Prop(names.TIME))} >= 0, {number_of(Prop(names.TIME))}, NULL)"
_SAID_CORRECT: Final = text_of(Prop(names.CORRECT))
_CORRECT: Final = (
    f"multiIf({_SAID_CORRECT} = 'true', 1, {_SAID_CORRECT} = 'false', 0, {_SCORE} >= ifNull({_HIGHEST}, 1), 1, "
    f"isNotNull({_SCORE}), 0, NULL)"
)
#: What a right answer without a score gives is what the question gives at most.
_MARK: Final = (
    f"multiIf({_SKIPPED}, 0., isNotNull({_SCORE}), assumeNotNull({_SCORE}), {_SAID_CORRECT} = 'true', "
    f"ifNull({_HIGHEST}, 1.), 0.)"
)
_IS_MARKED: Final = f"toUInt8(NOT {_SKIPPED} AND isNotNull({_CORRECT}))"
#: The text of an answer to the question that is asked about.
_TEXT: Final = f"if(question = {{question:String}}, {text_of(Prop(names.ANSWER))}, '')"
