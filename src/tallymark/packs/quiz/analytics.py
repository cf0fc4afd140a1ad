"""What is asked of attempts: the handlers of `/quiz/api/v1/analytics` that tell numbers, and files of them."""

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from tallymark.packs.quiz.behaviour import quiz_funnel, quiz_retention
from tallymark.packs.quiz.exports import export
from tallymark.packs.quiz.learners import quiz_learners
from tallymark.packs.quiz.quiz_metrics import quiz_metrics, quizzes
from tallymark.packs.quiz.user_metrics import user_metrics

HANDLERS: Final[Sequence[ControllerRouterHandler]] = (
    quiz_metrics, quizzes, user_metrics, quiz_learners, quiz_funnel, quiz_retention, export,
)  # fmt: skip
