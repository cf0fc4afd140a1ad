"""Item analysis as bodies of answers: shares and correlations as they are, rounded to millionths."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tallymark.packs.quiz import item_notes as notes
from tallymark.packs.quiz.item_analysis import Answers, Attempts, ItemAnalysis, Items, Retakes
from tallymark.packs.quiz.item_statistics import AnswerSums, ItemSums, effective_weights, intended_weights
from tallymark.packs.quiz.policy import Policy
from tallymark.packs.quiz.quiz_statistics import alpha, error_ratio, standard_error

#: What stands for the answers that are not listed.
OTHER: Final = "(other)"
#: An answer is told up to so many characters.
_LONGEST_ANSWER: Final = 200


def told_head(analysis: ItemAnalysis) -> dict[str, Any]:
    """What every answer says of what it is about."""
    window = analysis.window
    return {
        "success": True,
        "project": analysis.project.name,
        "quizId": analysis.quiz,
        "window": {"startDate": str(window.first), "endDate": str(window.last), "timezone": window.timezone},
        "attemptPolicy": analysis.policy,
        "variance": "n-1",
    }


def told_attempts(attempts: Attempts, items: Items) -> dict[str, int]:
    """How many attempts there are of which kind."""
    return {
        "submitted": attempts.submitted,
        "unsubmitted": attempts.unsubmitted,
        "scored": attempts.scores.n,
        "withQuestions": items.n,
        "leftBeforeQuestions": attempts.unsubmitted - sum(item.ended for item in items.items),
    }


def told_items(attempts: Attempts, items: Items) -> list[dict[str, Any]]:
    """A row for each question, in order."""
    weights = zip(intended_weights(items.items), effective_weights(items.items), strict=True)
    return [
        {
            "questionId": item.question,
            "position": position,
            **_counts(item),
            **_statistics(item),
            "intendedWeight": rounded(intended),
            "effectiveWeight": rounded(effective),
            **_course(item, attempts.unsubmitted),
            "notes": list(notes.of_item(item, items.n)),
        }
        for position, (item, (intended, effective)) in enumerate(zip(items.items, weights, strict=True), 1)
    ]


def _counts(item: ItemSums) -> dict[str, Any]:
    return {"n": item.n, "skips": item.skipped, "marked": item.marked, "maxScore": item.max_mark}


def _statistics(item: ItemSums) -> dict[str, float | None]:
    return {
        "facility": rounded(item.facility),
        "standardDeviation": rounded(item.standard_deviation),
        "randomGuessScore": rounded(item.random_guess),
        "discriminationIndex": rounded(item.discrimination if item.graded else None),
        "discriminationEfficiency": rounded(item.efficiency if item.graded else None),
    }


def _course(item: ItemSums, unsubmitted: int) -> dict[str, Any]:
    """How long answers took, and who left here."""
    return {
        "medianTimeMs": rounded(item.time_median),
        "p90TimeMs": rounded(item.time_p90),
        "dropOff": {"attempts": item.ended, "share": rounded(item.ended / unsubmitted) if unsubmitted else None},
    }


def told_answers(answers: Answers, item: ItemSums) -> dict[str, Any]:
    """The answers to a question."""
    return {
        "differentAnswers": answers.different,
        "answers": [_answer(answer, item) for answer in answers.answers],
    }


def _answer(answer: AnswerSums, item: ItemSums) -> dict[str, Any]:
    return {
        "answer": OTHER if answer.other else answer.answer[:_LONGEST_ANSWER],
        "other": answer.other,
        "n": answer.n,
        "share": rounded(answer.share(item)),
        "correct": answer.correct,
        "meanScore": rounded(answer.mean),
        "pointBiserial": rounded(answer.point_biserial(item)),
        "notes": list(notes.of_answer(answer, item)),
    }


def told_statistics(attempts: Attempts, items: Items, retakes: Retakes, policy: Policy) -> Mapping[str, Any]:
    """The quiz as a whole; scores in percent."""
    scores, reliability = attempts.scores, alpha(items.items, items.n, items.variance)
    repeated = policy is Policy.ALL and retakes.n > 0
    return {
        "n": scores.n,
        "mean": rounded(scores.mean),
        "median": rounded(scores.median),
        "standardDeviation": rounded(scores.standard_deviation),
        "skewness": rounded(scores.skewness),
        "kurtosis": rounded(scores.kurtosis),
        "questions": sum(item.graded for item in items.items),
        "cronbachAlpha": rounded(reliability),
        "errorRatio": rounded(error_ratio(reliability)),
        "standardError": rounded(standard_error(scores.standard_deviation, reliability)),
        "retakes": {"learners": retakes.n, "gain": rounded(retakes.gain)},
        "histogram": list(_histogram(scores.bands)),
        "notes": list(notes.of_quiz(items.items, items.n or scores.n, reliability, repeated)),
    }


def _histogram(bands: Sequence[int]) -> Iterable[dict[str, Any]]:
    for tenth, attempts in enumerate(bands):
        yield {"band": f"{tenth * 10}-{tenth * 10 + 10}", "attempts": attempts}


def rounded(value: float | None) -> float | None:
    """A number as it is told: sums of fractions differ in their last digits from one time to the next."""
    return None if value is None else round(value, 6)
