"""The life of an experiment: what may be done to it when, and what of it may change when."""

from collections.abc import Mapping
from typing import Final, Literal

from tallymark.errors import Conflict
from tallymark.spec.experiment import Status
from tallymark.spec.experiment_draft import FIELDS, ExperimentDraft, public_draft

Action = Literal["start", "stop", "ship", "archive", "delete"]

#: What may be done to an experiment of a status, and the status it has then.
STEPS: Final[Mapping[Status, Mapping[Action, Status | None]]] = {
    "draft": {"start": "running", "archive": "archived", "delete": None},
    "running": {"stop": "stopped", "ship": "shipped"},
    "stopped": {"start": "running", "ship": "shipped", "archive": "archived"},
    "shipped": {"ship": "shipped", "stop": "stopped", "archive": "archived"},
    "archived": {},
}

#: Fields that say who gets what by chance; where they change, units change their variants.
_FIXED: Final[Mapping[str, str]] = {
    "key": "events and assignments name the experiment by it",
    "seed": "units would change their variants",
    "namespace": "units would join and leave in the middle",
    "holdout": "units would join and leave in the middle",
}
#: Fields that change nothing but what is read of the results.
_READING: Final = frozenset({"name", "hypothesis", "metrics", "alpha", "correction", "preDays"})


def check_action(key: str, status: Status, action: Action) -> None:
    """Raises `Conflict`, with what may be done, for what may not be done to an experiment of this status."""
    allowed = STEPS[status]
    if action not in allowed:
        may = f"it can {_either(list(allowed))}" if allowed else "nothing can be done to it any more"
        raise Conflict(f"{key!r} is {status}: {may}.", field="status", allowed=list(allowed))


def check_change(status: Status, before: ExperimentDraft, after: ExperimentDraft) -> None:
    """Raises `Conflict`, with the reason, for a change that may not be made to an experiment of this status."""
    if status == "draft":
        return
    for field in changed_fields(before, after):
        reason = _refusal(status, field, before, after)
        if reason is not None:
            raise Conflict(f"{before.key!r} is {status}: {reason}.", field=field)


def changed_fields(before: ExperimentDraft, after: ExperimentDraft) -> list[str]:
    """The public names of the fields in which two drafts differ."""
    one, other = public_draft(before), public_draft(after)
    return [field for field in FIELDS if one[field] != other[field]]  # type: ignore[literal-required]


def _refusal(status: Status, field: str, before: ExperimentDraft, after: ExperimentDraft) -> str | None:
    """Why a field may not change; None if it may."""
    if status == "archived":
        return "it does not change any more"
    if field in _READING:
        return None
    if status == "shipped":
        return f"everybody has its variant, so {field} decides nothing; stop it to give everybody control"
    if field in _FIXED:
        return f"its {field} stays, since {_FIXED[field]}. Make a new experiment"
    if field == "variants":
        return _refused_variants(before, after)
    return None


def _refused_variants(before: ExperimentDraft, after: ExperimentDraft) -> str | None:
    if [variant.key for variant in before.variants] != [variant.key for variant in after.variants]:
        return "its variants and their order stay, only weights change. Make a new experiment"
    if [variant.value for variant in before.variants] != [variant.value for variant in after.variants]:
        return "values of its variants stay, since what came before would be of something else. Make a new experiment"
    return None


def _either(words: list[str]) -> str:
    """Words as a sentence lists them: be started or archived."""
    told = [_DONE[word] for word in words]
    return f"be {' or '.join(', '.join(told).rsplit(', ', 1))}"


_DONE: Final = {
    "start": "started", "stop": "stopped", "ship": "shipped", "archive": "archived", "delete": "deleted",
}  # fmt: skip
