"""Who looks at a quiz's numbers, and what of them they see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from litestar.types import Scope

from tallymark.api.services import Services
from tallymark.engine.base import Engine
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.spec.project import Project

Role = Literal["learner", "teacher", "admin"]


@dataclass(frozen=True)
class Viewer:
    """Who asks, of which project. `user` is who a token names, None for a key; `engine` shows what they may see.

    `filters`: by table of the engine the condition that it keeps to, as whatever is done later for them does too.
    """

    project: Project
    role: Role
    user: str | None
    engine: Engine
    filters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, here: Services, scope: Scope, name: str | None) -> "Viewer":
        """Who asks about the project of that name. Errors: `Unauthorized`, `Forbidden`, `NotFound`."""
        return cls(CONTRACT.read_by(here, scope, name), "admin", None, here.engine)

    def look_at_quiz(self, quiz: str) -> None:
        """Returns where they may see the quiz. Errors: `Forbidden`."""

    def look_at_user(self, user: str) -> None:
        """Returns where they may see the numbers of the user. Errors: `Forbidden`."""
