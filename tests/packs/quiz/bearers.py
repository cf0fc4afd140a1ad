"""Users with tokens that name the projects they are good for, and the settings under which these are believed."""

from typing import Any

from tests.access.tokens import SECRET, token

BELIEVING: dict[str, Any] = {
    "jwt_secrets": (SECRET,), "jwt_project_claim": ("app_metadata", "projects"), "settle_seconds": 0,
}  # fmt: skip


def token_of(user: str, project: str, role: str | None = None, **more: Any) -> str:
    """A token of a user, good for a project."""
    metadata = {"projects": [project], **({"tallymark_role": role} if role else {})}
    return token(user, app_metadata=metadata, **more)
