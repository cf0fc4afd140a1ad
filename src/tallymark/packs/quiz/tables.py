"""The quiz pack's table: attempts as rows, as exports hold them."""

from typing import Final

from tallymark.packs.quiz import names
from tallymark.packs.quiz.policy import ATTEMPT
from tallymark.spec.condition import Column, Prop
from tallymark.spec.table import Table, TableColumn

ATTEMPTS: Final = Table(
    "quiz_attempts",
    "Attempts, a row each; a user is their hash.",
    ATTEMPT,
    (
        TableColumn("quiz_id", "text", Prop(names.QUIZ)),
        TableColumn("attempt_id", "text", Prop(names.ATTEMPT_ID)),
        TableColumn("user", "hash", Column("actor")),
        TableColumn("started_at", "instant", Column("occurred_at")),
        TableColumn("state", "text", Prop(names.STATE)),
        TableColumn("score", "number", Prop(names.SCORE)),
        TableColumn("max_score", "number", Prop(names.MAX_SCORE)),
        TableColumn("grade", "number", Prop(names.GRADE)),
        TableColumn("seconds", "number", Prop(names.SECONDS)),
        TableColumn("questions", "integer", Prop(names.QUESTIONS)),
    ),
)
