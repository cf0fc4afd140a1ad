"""Whether there is a quiz: a misspelt name is told as such, and not as a quiz that nobody took."""

from typing import Final

from tallymark.engine.expression import array, condition_sql, literal
from tallymark.errors import NotFound
from tallymark.packs.quiz import names
from tallymark.packs.quiz.numbers import DIMENSION
from tallymark.packs.quiz.policy import of_quiz
from tallymark.packs.quiz.viewer import Viewer

_EVENTS: Final = array([*names.PARTS, names.ATTEMPT, names.LEAD])


def check_known(viewer: Viewer, quiz: str) -> None:
    """Raises `NotFound` for a quiz that nothing the viewer sees is of, whenever it was, and whose owner nobody told."""
    if viewer.knows(quiz):
        return
    params = {"project": viewer.project.id, "quiz": quiz}
    statements = [
        f"SELECT 1 FROM events WHERE project = {{project:UInt32}} AND event IN {_EVENTS} "
        f"AND {condition_sql(of_quiz(quiz))} LIMIT 1"
    ]
    if viewer.role == "admin":  # rollups are of everybody's attempts
        statements.append(
            f"SELECT 1 FROM rollups WHERE project = {{project:UInt32}} AND dim = {literal(DIMENSION)} "
            "AND key = {quiz:String} LIMIT 1"
        )
    if not any(viewer.engine.query(sql, params) for sql in statements):
        raise NotFound(f"There is no quiz {quiz[:64]!r}: nothing was ever sent of it.", field="quizId")
