"""What people see first of quizzes."""

from tallymark.spec.board import Board, Panel, View

BOARD = Board(
    (
        "quiz_attempts",
        "quiz_learners",
        "quiz_completion_rate",
        "quiz_score",
        "quiz_time",
        "quiz_correct_rate",
        "quiz_abandonment_rate",
        "quiz_leads",
    ),
    (
        Panel("Attempts", (View("attempt_state", ("quiz_attempts",)), View("score_band", ("quiz_attempts",)))),
        Panel("Questions", (View("quiz_question", ("quiz_answers", "quiz_correct_rate")),)),
    ),
)
