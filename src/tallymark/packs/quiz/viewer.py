"""Who looks at a quiz's numbers, and what of them they see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from litestar.types import Scope

from tallymark.access.tokens import Role, User
from tallymark.api.services import Services
from tallymark.control.quizzes import subject
from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql
from tallymark.engine.schema import tables
from tallymark.errors import Forbidden
from tallymark.packs.quiz import names
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.packs.quiz.users import user_of
from tallymark.spec.condition import Comparison, Op, Prop
from tallymark.spec.project import Project

#: Tables whose rows belong to no project.
_OF_NOBODY: Final = ("migrations",)


@dataclass(frozen=True)
class Viewer:
    """Who asks, of which project. `user` is who a token names, None for a key; `engine` shows what they may see.

    A key sees every row, an admin by token every row of the project, a teacher the events of the quizzes that they own,
    a learner their own events; what is made of many people's events, such as rollups, only admins see. `filters`: by
    table of the engine the condition that it keeps to, as whatever is done later for them does too.
    """

    project: Project
    role: Role
    user: str | None
    engine: Engine = field(repr=False)
    quizzes: frozenset[str] = field(repr=False)
    filters: Mapping[str, str] = field(repr=False)
    _here: Services = field(repr=False)

    @classmethod
    def of(cls, here: Services, scope: Scope, name: str | None) -> "Viewer":
        """Who asks about the project of that name; it reads the control store, and so belongs into a thread.

        Errors: `Unauthorized`, `Forbidden`, `NotFound`; `Unavailable` where a token can't be checked now.
        """
        found = user_of(here, scope, name)
        if found is None:
            return cls(CONTRACT.read_by(here, scope, name), "admin", None, here.engine, frozenset(), {}, here)
        user, project = found
        owned = [quiz.id for quiz in here.quizzes.list(project.id, user.name)] if user.role == "teacher" else []
        filters = _filters(here, project.id, user, owned)
        return cls(project, user.role, user.name, here.engine.scoped(filters), frozenset(owned), filters, here)

    @property
    def named(self) -> object:
        """What tells what is kept for them from what is kept for others; None for keys, which all see the same."""
        return None if self.user is None else (self.role, self.user)

    def look_at_quiz(self, quiz: str) -> None:
        """Returns where they may see the quiz: teachers their own, learners any, though of it only their own attempts.

        Errors: `Forbidden`, which is audited.
        """
        if self.role == "teacher" and quiz not in self.quizzes:
            self._refuse(subject(quiz), "This quiz is not among yours.", "quizId")

    def look_at_user(self, user: str) -> None:
        """Returns where they may see the numbers of the user: learners their own, teachers within their quizzes.

        Errors: `Forbidden`, which is audited.
        """
        if self.role == "learner" and user != self.user:
            actor = self._here.receiver.enricher.actor(self.project.id, user)
            self._refuse(f"user/{actor:016x}", "Learners see their own numbers only.", "userId")

    def look_at_learners(self, quiz: str) -> None:
        """Returns where they may see how all learners did at the quiz: who teaches it, and admins.

        Errors: `Forbidden`, which is audited.
        """
        self.look_at_quiz(quiz)
        if self.role == "learner":
            self._refuse(subject(quiz), "How all learners did is for those who teach the quiz.", "quizId")

    def look_at_rows(self) -> None:
        """Returns where they may see rows, teachers those of their quizzes. Errors: `Forbidden`, audited."""
        if self.role == "learner":
            self._refuse("tables", "Rows are for those who teach.", None)

    def change_quiz(self, quiz: str) -> None:
        """Returns where they may say whose the quiz is: admins. Errors: `Forbidden`, which is audited."""
        if self.role != "admin":
            self._refuse(subject(quiz), "Only admins say whose a quiz is.", "quizId")

    def knows(self, quiz: str) -> bool:
        """Whether somebody said whose the quiz is, and they may know that."""
        if self.role == "admin":
            return self._here.quizzes.get(self.project.id, quiz) is not None
        return quiz in self.quizzes

    def look_at_quizzes(self) -> None:
        """Returns where they may see whose quizzes there are, teachers their own. Errors: `Forbidden`, audited."""
        if self.role == "learner":
            self._refuse("quizzes", "Only teachers and admins see whose quizzes there are.", None)

    def _refuse(self, what: str, why: str, about: str | None) -> None:
        self._here.refusals.note(self.project.id, what, f"user {self.user}")
        raise Forbidden(why, field=about)


def _filters(here: Services, project: int, user: User, owned: list[str]) -> Mapping[str, str]:
    """What rows of which tables a user sees, as conditions in SQL. All texts in them are literals."""
    mine = f"project = {project:d}"
    if user.role == "admin":
        return {table: mine for table in tables() if table not in _OF_NOBODY}
    if user.role == "teacher":
        theirs = condition_sql(Comparison(Prop(names.QUIZ), Op.IS, tuple(owned))) if owned else "0"
    else:
        theirs = f"actor = {here.receiver.enricher.actor(project, user.name):d}"
    return {"projects": mine, "events": f"{mine} AND {theirs}"}
