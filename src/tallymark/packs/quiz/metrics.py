"""The quiz pack's declarations: attempts, how they ended, scores, time, answers, leads.

Attempts are events that are made of their parts: an attempt belongs to the day of its first part.
"""

from typing import Final

from tallymark.packs.quiz import names
from tallymark.packs.quiz.board import BOARD
from tallymark.packs.quiz.policy import ATTEMPT as _ATTEMPT
from tallymark.packs.quiz.tables import ATTEMPTS as ATTEMPTS_TABLE
from tallymark.spec.condition import Above, Comparison, Condition, Joined, Op, Prop, event, flag, human
from tallymark.spec.funnel import Funnel, Step
from tallymark.spec.measure import actors, count, moments, quantiles, total
from tallymark.spec.metric import Dimension, Mean, Metric, Plain, Quantile, Ratio
from tallymark.spec.pack import Pack


def _is(prop: str, *values: str) -> Condition:
    return Comparison(Prop(prop), Op.IS, values)


_COMPLETED = _ATTEMPT & _is(names.STATE, names.COMPLETED)
_LEFT = _ATTEMPT & _is(names.STATE, names.LEFT)
_ANSWERED = event(names.ANSWERED) & human()
_GIVEN = _ANSWERED & ~flag(names.SKIPPED)
_MARKED = _GIVEN & _is(names.CORRECT, "true", "false")
_LEAD = event(names.LEAD) & human()

ATTEMPTS: Final = count(_ATTEMPT)
LEADS: Final = count(_LEAD)

METRICS = (
    Metric("quiz_attempts", "Attempts", "Attempts at quizzes, by the day they began.", Plain(ATTEMPTS), good="up"),
    Metric("quiz_learners", "Learners", "Distinct users with an attempt.", Plain(actors(_ATTEMPT)), good="up"),
    Metric("quiz_submissions", "Submitted attempts", "Attempts that were submitted.",
           Plain(count(_COMPLETED)), good="up"),
    Metric("quiz_abandonments", "Abandoned attempts",
           "Attempts that were given up: that was said, or nothing of them came for as long as is set.",
           Plain(count(_LEFT)), good="down"),
    Metric("quiz_completion_rate", "Completion", "Attempts that were submitted over all.",
           Ratio(count(_COMPLETED), ATTEMPTS), unit="share", good="up"),
    Metric("quiz_abandonment_rate", "Abandonment", "Attempts that were given up over all.",
           Ratio(count(_LEFT), ATTEMPTS), unit="share", good="down"),
    Metric("quiz_score", "Average score", "Mean score of submitted attempts, in percent of the highest possible.",
           Mean(moments(Prop(names.GRADE), _COMPLETED)), unit="number", good="up"),
    Metric("quiz_scored", "Attempts with a score", "Submitted attempts that have a score.",
           Plain(count(_COMPLETED & Above(Prop(names.GRADE), 0, inclusive=True))), good="up"),
    Metric("quiz_time", "Time spent", "Mean time of submitted attempts.",
           Mean(moments(Prop(names.SECONDS), _COMPLETED)), unit="seconds"),
    Metric("quiz_time_total", "Time spent in all", "Time of submitted attempts, added up.",
           Plain(total(Prop(names.SECONDS), _COMPLETED)), unit="seconds"),
    Metric("quiz_answers", "Answers", "Answers to questions, skipped ones not counted.",
           Plain(count(_GIVEN)), good="up"),
    Metric("quiz_skips", "Skipped questions", "Questions that were skipped.",
           Plain(count(_ANSWERED & flag(names.SKIPPED))), good="down"),
    Metric("quiz_correct_rate", "Right answers", "Right answers over those that are marked right or wrong.",
           Ratio(count(_MARKED & flag(names.CORRECT)), count(_MARKED)), unit="share", good="up"),
    Metric("quiz_answer_time_p50", "Time of an answer, p50", "Half of the answers took at most this.",
           Quantile(0.5, quantiles(Prop(names.TIME), _GIVEN)), unit="ms"),
    Metric("quiz_answer_time_p90", "Time of an answer, p90", "90 of 100 answers took at most this.",
           Quantile(0.9, quantiles(Prop(names.TIME), _GIVEN)), unit="ms"),
    Metric("quiz_leads", "Leads of quizzes", "Users of quizzes who gave their address.", Plain(LEADS), good="up"),
    Metric("quiz_lead_rate", "Leads over attempts", "Leads of quizzes over attempts.", Ratio(LEADS, ATTEMPTS),
           unit="share", good="up"),
)  # fmt: skip

DIMENSIONS = (
    Dimension("quiz", "Quiz", "Property `quizId`: which quiz.", Prop(names.QUIZ), None),
    Dimension("quiz_question", "Question", "Quiz and question of an answer, as `algebra/q3`.",
              Joined((Prop(names.QUIZ), Prop(names.QUESTION))), None),
    Dimension("attempt_state", "State of an attempt", "open, submitted, abandoned.", Prop(names.STATE), None),
    Dimension("score_band", "Score band", "Tenth of the percent that the score lies in, as `80-90`.",
              Prop(names.BAND), None),
)  # fmt: skip

FUNNELS = (
    Funnel(
        "quiz_completion",
        "From start to submission",
        tuple(Step(label, event(name) & human()) for label, name in (
            ("Start", names.STARTED), ("First answer", names.ANSWERED), ("Submission", names.SUBMITTED),
        )),
        within=86_400,
    ),
)  # fmt: skip

PACK = Pack(
    "quiz",
    "Quizzes",
    "Attempts at quizzes, their questions, scores, and who takes them.",
    METRICS,
    DIMENSIONS,
    FUNNELS,
    defaults={"retention": "1095d"},
    tables=(ATTEMPTS_TABLE,),
    board=BOARD,
)
