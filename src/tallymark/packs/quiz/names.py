"""Names of the quiz pack's events and of the properties that it reads and writes."""

from typing import Final

from tallymark.packs.leads.names import OF_QUIZ

STARTED: Final = "quiz_started"
ANSWERED: Final = "question_answered"
SUBMITTED: Final = "quiz_submitted"
ABANDONED: Final = "quiz_abandoned"
LEAD: Final = OF_QUIZ
#: What an attempt is made of.
PARTS: Final = (STARTED, ANSWERED, SUBMITTED, ABANDONED)
#: An attempt as a whole, made of its parts.
ATTEMPT: Final = "quiz_attempt"

QUIZ: Final = "quizId"
ATTEMPT_ID: Final = "attemptId"
QUESTION: Final = "questionId"
ANSWER: Final = "answer"
CORRECT: Final = "correct"
SKIPPED: Final = "skipped"
#: How many answers a question offers, of which one is right.
OPTIONS: Final = "options"
SCORE: Final = "score"
MAX_SCORE: Final = "maxScore"
#: Milliseconds that an answer, or a submitted attempt, took.
TIME: Final = "timeMs"
#: The score in percent of the highest possible.
GRADE: Final = "grade"
#: The tenth that a grade lies in, as `80-90`; 100 belongs to the last.
BAND: Final = "gradeBand"

#: Of an attempt: how far it came, seconds from its first part to its end, and how many questions were answered.
STATE: Final = "attemptState"
OPEN: Final = "open"
COMPLETED: Final = "submitted"
LEFT: Final = "abandoned"
VOID: Final = "void"
SECONDS: Final = "seconds"
QUESTIONS: Final = "questions"
