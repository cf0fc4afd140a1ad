"""The experiments of projects: made, changed, started, stopped, shipped, archived; each deed leaves a line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

import msgspec
from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tallymark.control.audit import Deed, record
from tallymark.control.database import Database
from tallymark.control.experiment_models import AssignmentRow, AuditRow, ExperimentRow
from tallymark.errors import BadRequest, Conflict, NotFound
from tallymark.spec.experiment import Experiment, Status
from tallymark.spec.experiment_draft import ExperimentDraft, changed, parse_draft, public_draft
from tallymark.spec.experiment_lifecycle import STEPS, Action, changed_fields, check_action, check_change


@dataclass(frozen=True)
class Doer:
    """Who does something, and when."""

    by: str
    at: datetime


class Experiments:
    """The store of experiments. Their keys are unique in a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, project_id: int, draft: ExperimentDraft, doer: Doer) -> Experiment:
        """The new experiment, a draft. Errors: `Conflict` where the key is taken, or the holdout has another share."""
        with self._database.write(project_id) as session:
            row = ExperimentRow(
                project_id=project_id, key=draft.key, status="draft", definition=_text(draft, None), revision=1,
                created_at=doer.at, updated_at=doer.at,
            )  # fmt: skip
            session.add(row)
            _flush(session, row)
            _check_holdout(session, row, draft)
            _note(session, row, "create", doer, {}, {draft.key})
            return _experiment(row)

    def get(self, project_id: int, key: str) -> Experiment | None:
        """The experiment of a project with that key."""
        with self._database.read(project_id) as session:
            row = session.scalar(_named(project_id, key))
            return None if row is None else _experiment(row)

    def all(self, project_id: int) -> tuple[Experiment, ...]:
        """Every experiment of a project, oldest first."""
        mine = select(ExperimentRow).where(ExperimentRow.project_id == project_id).order_by(ExperimentRow.id)
        with self._database.read(project_id) as session:
            return tuple(map(_experiment, session.scalars(mine)))

    def update(
        self, project_id: int, key: str, body: Mapping[str, Any], doer: Doer, revision: int | None = None
    ) -> Experiment:
        """The experiment with what a JSON object changes; one that changes nothing leaves no line.

        Errors: `NotFound`; `BadRequest`; `Conflict` for what may not change any more, for a key that is taken, and
        where the experiment is not at that `revision`.
        """
        with self._database.write(project_id) as session:
            row = _existing(session, project_id, key)
            _check_revision(row, revision)
            before, shipped = _defined(row.definition)
            after = changed(before, body)
            check_change(cast(Status, row.status), before, after)
            if after != before:
                _check_holdout(session, row, after)
                row.key, row.definition = after.key, _text(after, shipped)
                _revise(session, row, doer)
                _note(session, row, "update", doer, _difference(before, after), {before.key, after.key})
            return _experiment(row)

    def start(self, project_id: int, key: str, doer: Doer) -> Experiment:
        """The experiment, running; one that ran before keeps its start. Errors: `NotFound`, `Conflict`."""
        return self._step(project_id, key, "start", doer)

    def stop(self, project_id: int, key: str, doer: Doer) -> Experiment:
        """The experiment, stopped: everybody gets control. Errors: `NotFound`, `Conflict`."""
        return self._step(project_id, key, "stop", doer)

    def ship(self, project_id: int, key: str, variant: str, doer: Doer) -> Experiment:
        """The experiment, whose variant everybody gets. Errors: `NotFound`, `Conflict`, `BadRequest`."""
        return self._step(project_id, key, "ship", doer, variant)

    def archive(self, project_id: int, key: str, doer: Doer) -> Experiment:
        """The experiment, put away. Errors: `NotFound`, `Conflict`."""
        return self._step(project_id, key, "archive", doer)

    def delete(self, project_id: int, key: str, doer: Doer) -> Experiment:
        """The draft as it was. Errors: `NotFound`; `Conflict` for one that is no draft any more."""
        with self._database.write(project_id) as session:
            row = _existing(session, project_id, key)
            check_action(key, cast(Status, row.status), "delete")
            experiment = _experiment(row)
            session.delete(row)
            _note(session, row, "delete", doer, {}, {key})
            return experiment

    def forget_project(self, project_id: int) -> None:
        """Deletes everything that is known of a project's experiments, who was in them and who changed them."""
        with self._database.write(project_id) as session:
            for table in (AssignmentRow, ExperimentRow, AuditRow):
                session.execute(delete(table).where(table.project_id == project_id))

    def _step(self, project_id: int, key: str, action: Action, doer: Doer, variant: str | None = None) -> Experiment:
        with self._database.write(project_id) as session:
            row = _existing(session, project_id, key)
            status = cast(Status, row.status)
            check_action(key, status, action)
            draft, shipped = _defined(row.definition)
            if action == "ship":
                _check_shipped(draft, variant)
            row.definition = _text(draft, shipped if action == "archive" else variant)
            row.status = str(STEPS[status][action])
            _stamp(row, status, doer.at)
            _revise(session, row, doer)
            detail = {"from": status} if variant is None else {"from": status, "variant": variant}
            _note(session, row, action, doer, detail, {key})
            return _experiment(row)


def _existing(session: Session, project_id: int, key: str) -> ExperimentRow:
    row = session.scalar(_named(project_id, key))
    if row is None:
        raise NotFound(f"There is no experiment {key[:64]!r}.", field="key")
    return row


def _named(project_id: int, key: str) -> Select[ExperimentRow]:
    return select(ExperimentRow).where(ExperimentRow.project_id == project_id, ExperimentRow.key == key)


def _check_revision(row: ExperimentRow, revision: int | None) -> None:
    if revision not in (None, row.revision):
        message = f"{row.key!r} is at revision {row.revision}, not {revision}: somebody has changed it."
        raise Conflict(message, field="revision", allowed=[str(row.revision)])


def _check_shipped(draft: ExperimentDraft, variant: str | None) -> None:
    keys = [known.key for known in draft.variants]
    if variant not in keys:
        raise BadRequest(f"There is no variant {str(variant)[:64]!r}.", field="variant", allowed=keys)
    if draft.killed:
        raise Conflict(f"{draft.key!r} is killed: set killed to false before it ships.", field="killed")


def _check_holdout(session: Session, row: ExperimentRow, draft: ExperimentDraft) -> None:
    """Raises `Conflict` where another experiment of the project, not archived, has that holdout with another share."""
    if draft.holdout is None:
        return
    others = select(ExperimentRow).where(
        ExperimentRow.project_id == row.project_id, ExperimentRow.id != row.id, ExperimentRow.status != "archived"
    )
    for other in map(_experiment, session.scalars(others)):
        held = other.holdout
        if held is not None and held.name == draft.holdout.name and held.share != draft.holdout.share:
            message = f"The holdout {held.name!r} has the share {held.share:.12g} in {other.key!r}; it has one share."
            raise Conflict(message, field="holdout.share", allowed=[f"{held.share:.12g}"])


def _stamp(row: ExperimentRow, before: Status, at: datetime) -> None:
    """Notes when it started first, and when it ran last."""
    if row.status == "running":
        row.started_at, row.stopped_at = row.started_at or at, None
    elif before == "running":
        row.stopped_at = at


def _revise(session: Session, row: ExperimentRow, doer: Doer) -> None:
    row.revision, row.updated_at = row.revision + 1, doer.at
    _flush(session, row)


def _flush(session: Session, row: ExperimentRow) -> None:
    key = row.key
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is already an experiment {key!r}.", field="key") from error


def _note(
    session: Session, row: ExperimentRow, action: str, doer: Doer, detail: Mapping[str, Any], keys: Iterable[str]
) -> None:
    for key in sorted(keys):
        record(session, Deed(row.project_id, subject_of(key), action, doer.by, doer.at, detail))


def subject_of(key: str) -> str:
    """What the audit calls the experiment of that key."""
    return f"experiment/{key}"


def _difference(before: ExperimentDraft, after: ExperimentDraft) -> dict[str, Any]:
    """What changed, by field; of forced variants how many there are, since units may be people."""
    return {
        field: {"from": _noted(before, field), "to": _noted(after, field)} for field in changed_fields(before, after)
    }


def _noted(draft: ExperimentDraft, field: str) -> Any:
    value = dict(public_draft(draft))[field]
    return len(draft.forced or {}) if field == "forced" else value


def _text(draft: ExperimentDraft, shipped: str | None) -> str:
    """A definition as it is stored."""
    return msgspec.json.encode({**public_draft(draft), "shipped": shipped}).decode()


@lru_cache(maxsize=4_096)  # they are read again and again, and seldom change
def _defined(definition: str) -> tuple[ExperimentDraft, str | None]:
    """The draft that is stored, and the variant that everybody gets."""
    stored = msgspec.json.decode(definition)
    shipped = stored.pop("shipped")
    return parse_draft(stored), shipped


def _experiment(row: ExperimentRow) -> Experiment:
    draft, shipped = _defined(row.definition)
    return Experiment(
        **vars(draft),
        id=row.id,
        project_id=row.project_id,
        status=cast(Status, row.status),
        created_at=row.created_at,
        shipped=shipped,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        revision=row.revision,
    )
