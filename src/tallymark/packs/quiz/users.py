"""Users who come with a token of their own: whom it names, for which project, and what they send in their name."""

from litestar.types import Scope

from tallymark.access.guard import token_of
from tallymark.access.tokens import User, is_token
from tallymark.api.services import Services
from tallymark.errors import Forbidden
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.spec.project import Project


def user_of(here: Services, scope: Scope, name: str | None) -> tuple[User, Project] | None:
    """Whom the token of a request names, and the project of that name; None where a key or nothing is sent.

    A project that the token is not good for and one that does not exist look the same. It may read the control store,
    and fetch keys. Errors: `Unauthorized`, `Forbidden`, `NotFound`, `Unavailable`.
    """
    token = token_of(scope["headers"])
    if token is None or not is_token(token) or here.access.is_configured(token):
        return None
    user = here.tokens.read(token)
    wanted = name or (user.projects[0] if len(user.projects) == 1 else here.settings.quiz_project)
    if wanted not in user.projects:
        raise Forbidden("This token is not good for this project.", field=CONTRACT.field)
    return user, CONTRACT.named(here, wanted)


def sender_of(here: Services, scope: Scope, key: str | None, name: str | None) -> tuple[Project, str | None]:
    """The project that a request may send to, and the user whom all that it sends is of, None for anybody.

    Errors: those of `user_of` and `Contract.sent_to`.
    """
    found = user_of(here, scope, name)
    if found is None:
        return CONTRACT.sent_to(here, scope, key, name), None
    user, project = found
    return project, user.name
