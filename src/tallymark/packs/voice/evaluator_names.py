"""Evaluators by name and version, as `quality@2`: which one a request means, and which one where it names none."""

from collections.abc import Mapping

from tallymark.api.services import Services
from tallymark.errors import NotFound
from tallymark.spec.project import Project

#: Longer numbers are no versions.
_DIGITS = 9


def named(here: Services, project: Project, text: str) -> str:
    """The version that is meant; a key alone means its latest. Errors: `NotFound`."""
    key, at, said = text.partition("@")
    evaluator = here.evaluators.get(project.id, key)
    if evaluator is None:
        raise NotFound(f"There is no evaluator {key[:64]!r}.", field="evaluator")
    version = version_of(said) if at else evaluator.version
    if version is None or not 1 <= version <= evaluator.version:
        allowed = [f"{key}@{number}" for number in range(evaluator.version, 0, -1)]
        raise NotFound(f"{key} has no version {said[:20]!r}.", field="evaluator", allowed=allowed)
    return f"{key}@{version}"


def version_of(text: str) -> int | None:
    """The number of a version; None for a text that is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def newest(here: Services, project: Project, judged: Mapping[str, int]) -> str | None:
    """The newest version of the first evaluator that judged anything, or whoever judged most; None where none did.

    `judged` are how many evaluations there are of each.
    """
    for evaluator in here.evaluators.all(project.id):
        for version in range(evaluator.version, 0, -1):
            if judged.get(name := f"{evaluator.draft.key}@{version}"):
                return name
    return max(judged, key=lambda name: (judged[name], name)) if judged else None
