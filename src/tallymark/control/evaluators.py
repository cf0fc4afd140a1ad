"""The evaluators of projects: made, changed, paused, resumed, archived; a change makes a version, each deed a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tallymark.control.audit import Deed, record
from tallymark.control.database import Database
from tallymark.control.evaluation_models import EvaluationRow, EvaluationSpendRow, EvaluatorRow, EvaluatorVersionRow
from tallymark.control.evaluation_rows import remove_evaluations
from tallymark.control.evaluator_rows import defined, definition_text, evaluator_of
from tallymark.control.experiments import Doer
from tallymark.errors import Conflict, NotFound
from tallymark.spec.evaluator import (
    DEFAULT_EVALUATOR,
    MOST_FAILURES_IN_ROW,
    Evaluator,
    EvaluatorDraft,
    EvaluatorStatus,
    JudgeKind,
)
from tallymark.spec.evaluator_draft import changed, changed_fields, parse_draft, public_draft
from tallymark.spec.evaluator_lifecycle import Action, check_action, check_change

#: Who does what nobody has asked for.
_SETTINGS: Final = "settings"
_TALLYMARK: Final = "tallymark"
_LONGEST_REASON: Final = 500


@dataclass(frozen=True)
class Version:
    """What an evaluator was at a version, who made it so and when."""

    version: int
    draft: EvaluatorDraft
    created_at: datetime
    by: str


class Evaluators:
    """The store of evaluators. Their keys are unique in a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, project_id: int, draft: EvaluatorDraft, doer: Doer) -> Evaluator:
        """The new evaluator, active at version 1. Errors: `Conflict` where the key is taken."""
        with self._database.write(project_id) as session:
            return evaluator_of(_add(session, project_id, draft, doer, automatic=False))

    def get(self, project_id: int, key: str) -> Evaluator | None:
        """The evaluator of a project with that key."""
        with self._database.read(project_id) as session:
            row = session.scalar(_named(project_id, key))
            return None if row is None else evaluator_of(row)

    def all(self, project_id: int) -> tuple[Evaluator, ...]:
        """Every evaluator of a project, oldest first."""
        mine = select(EvaluatorRow).where(EvaluatorRow.project_id == project_id).order_by(EvaluatorRow.id)
        with self._database.read(project_id) as session:
            return tuple(map(evaluator_of, session.scalars(mine)))

    def active(self) -> tuple[Evaluator, ...]:
        """The evaluators of all projects that are neither paused nor archived."""
        with self._database.read() as session:
            rows = session.scalars(
                select(EvaluatorRow).where(EvaluatorRow.status == "active").order_by(EvaluatorRow.id)
            )
            return tuple(map(evaluator_of, rows))

    def versions(self, project_id: int, key: str) -> tuple[Version, ...]:
        """What an evaluator has been, newest first. Errors: `NotFound`."""
        with self._database.read(project_id) as session:
            row, version = _existing(session, project_id, key), EvaluatorVersionRow
            newest = select(version).where(version.evaluator_id == row.id).order_by(version.version.desc())
            return tuple(
                Version(found.version, defined(found.definition), found.created_at, found.by)
                for found in session.scalars(newest)
            )

    def update(self, project_id: int, key: str, body: Mapping[str, Any], doer: Doer) -> Evaluator:
        """The evaluator with what a JSON object changes: a new version, which what waits is judged by.

        A change that changes nothing makes none. Errors: `NotFound`, `BadRequest`; `Conflict` for an archived one.
        """
        with self._database.write(project_id) as session:
            row = _existing(session, project_id, key)
            check_change(row.key, cast(EvaluatorStatus, row.status))
            after = changed(defined(row.definition), body)
            if after != defined(row.definition):
                row.automatic = False
                _revise(session, row, after, doer)
            return evaluator_of(row)

    def ensure_default(self, project_id: int, judge: JudgeKind, model: str, now: datetime) -> None:
        """Makes the default evaluator where a project has none; one that nobody has changed gets this judge.

        Errors: `BadRequest` for a judge that can't have this model.
        """
        draft = parse_draft({"key": DEFAULT_EVALUATOR, "judge": judge, "model": model})
        if self._as_it_should_be(project_id, draft):
            return
        with self._database.write(project_id) as session:
            row, doer = session.scalar(_named(project_id, draft.key)), Doer(_SETTINGS, now)
            if row is not None and row.automatic and defined(row.definition) != draft:
                _revise(session, row, draft, doer)
            elif not _count(session, project_id):
                _add(session, project_id, draft, doer, automatic=True)

    def pause(self, project_id: int, key: str, doer: Doer, reason: str = "") -> Evaluator:
        """The evaluator, which judges nothing until it is resumed. Errors: `NotFound`, `Conflict`."""
        return self._step(project_id, key, "pause", doer, reason or f"Paused by {doer.by}.")

    def resume(self, project_id: int, key: str, doer: Doer) -> Evaluator:
        """The evaluator, active again, its failures forgotten. Errors: `NotFound`, `Conflict`."""
        return self._step(project_id, key, "resume", doer)

    def archive(self, project_id: int, key: str, doer: Doer) -> Evaluator:
        """The evaluator, put away; what waited for it waits no more. Errors: `NotFound`, `Conflict`."""
        return self._step(project_id, key, "archive", doer)

    def succeeded(self, evaluator_id: int) -> None:
        """Notes that the judge works: failures in a row begin anew."""
        failing = (EvaluatorRow.id == evaluator_id) & (EvaluatorRow.failures_in_row > 0)
        with self._database.read() as session:
            if session.scalar(select(EvaluatorRow.id).where(failing)) is None:
                return
        with self._database.write() as session:
            session.execute(update(EvaluatorRow).where(failing).values(failures_in_row=0))

    def failed(self, evaluator_id: int, reason: str, now: datetime) -> bool:
        """Whether the evaluator pauses with this failure: it is one too many in a row."""
        with self._database.write() as session:
            row = session.get(EvaluatorRow, evaluator_id)
            if row is None:
                return False
            row.failures_in_row += 1
            if row.status != "active" or row.failures_in_row < MOST_FAILURES_IN_ROW:
                return False
            why = f"Its judge failed {row.failures_in_row} times in a row, the last time: {reason}"
            _move(session, row, "pause", Doer(_TALLYMARK, now), why)
            return True

    def hold(self, evaluator_id: int, until: datetime) -> None:
        """Leaves the judge alone until then, or longer where that was said before."""
        row = EvaluatorRow
        earlier = (row.id == evaluator_id) & (row.not_before.is_(None) | (row.not_before < until))
        with self._database.write() as session:
            session.execute(update(row).where(earlier).values(not_before=until))

    def forget_project(self, project_id: int) -> None:
        """Deletes a project's evaluators, what they judged, and what that took."""
        mine = select(EvaluatorRow.id).where(EvaluatorRow.project_id == project_id)
        with self._database.write(project_id) as session:
            remove_evaluations(session, EvaluationRow.project_id == project_id)
            session.execute(delete(EvaluatorVersionRow).where(EvaluatorVersionRow.evaluator_id.in_(mine)))
            for table in (EvaluatorRow, EvaluationSpendRow):
                session.execute(delete(table).where(table.project_id == project_id))

    def _step(self, project_id: int, key: str, action: Action, doer: Doer, reason: str = "") -> Evaluator:
        with self._database.write(project_id) as session:
            row = _existing(session, project_id, key)
            _move(session, row, action, doer, reason)
            return evaluator_of(row)

    def _as_it_should_be(self, project_id: int, draft: EvaluatorDraft) -> bool:
        with self._database.read(project_id) as session:
            row = session.scalar(_named(project_id, draft.key))
            if row is None:
                return _count(session, project_id) > 0
            return not row.automatic or defined(row.definition) == draft


def evaluator_subject(key: str) -> str:
    """What the audit calls the evaluator of that key."""
    return f"evaluator/{key}"


def _add(session: Session, project_id: int, draft: EvaluatorDraft, doer: Doer, *, automatic: bool) -> EvaluatorRow:
    row = EvaluatorRow(
        project_id=project_id, key=draft.key, status="active", version=1, definition=definition_text(draft),
        automatic=automatic, failures_in_row=0, pause_reason="", created_at=doer.at, updated_at=doer.at,
    )  # fmt: skip
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is already an evaluator {draft.key!r}.", field="key") from error
    _add_version(session, row, doer)
    _note(session, row, "create", doer, {})
    return row


def _revise(session: Session, row: EvaluatorRow, draft: EvaluatorDraft, doer: Doer) -> None:
    """Makes a version, which may not have the faults of the one before; what waits for that goes over to it."""
    before, old = defined(row.definition), row.version
    row.version, row.definition, row.updated_at = old + 1, definition_text(draft), doer.at
    row.failures_in_row, row.not_before = 0, None
    _add_version(session, row, doer)
    _note(session, row, "update", doer, {"version": row.version, **_difference(before, draft)})
    waiting = (EvaluationRow.evaluator_id == row.id) & (EvaluationRow.status == "waiting")
    again = update(EvaluationRow).where(waiting, EvaluationRow.version == old)
    session.execute(again.values(version=row.version, not_before=None))


def _add_version(session: Session, row: EvaluatorRow, doer: Doer) -> None:
    session.add(
        EvaluatorVersionRow(
            evaluator_id=row.id, version=row.version, definition=row.definition, created_at=doer.at, by=doer.by[:200]
        )
    )


def _move(session: Session, row: EvaluatorRow, action: Action, doer: Doer, reason: str) -> None:
    """Takes an evaluator to another status. Errors: `Conflict`."""
    before = cast(EvaluatorStatus, row.status)
    row.status = check_action(row.key, before, action)
    row.pause_reason, row.updated_at = reason[:_LONGEST_REASON], doer.at
    if action == "resume":
        row.failures_in_row, row.not_before = 0, None
    if action == "archive":
        waiting = (EvaluationRow.evaluator_id == row.id) & (EvaluationRow.status == "waiting")
        session.execute(update(EvaluationRow).where(waiting).values(status="gone", finished_at=doer.at))
    _note(session, row, action, doer, {"from": before} if not reason else {"from": before, "reason": row.pause_reason})


def _difference(before: EvaluatorDraft, after: EvaluatorDraft) -> dict[str, Any]:
    """What changed, by field."""
    old, new = dict(public_draft(before)), dict(public_draft(after))
    return {field: {"from": old[field], "to": new[field]} for field in changed_fields(before, after)}


def _note(session: Session, row: EvaluatorRow, action: str, doer: Doer, detail: Mapping[str, Any]) -> None:
    record(session, Deed(row.project_id, evaluator_subject(row.key), action, doer.by, doer.at, detail))


def _existing(session: Session, project_id: int, key: str) -> EvaluatorRow:
    row = session.scalar(_named(project_id, key))
    if row is None:
        raise NotFound(f"There is no evaluator {key[:64]!r}.", field="key")
    return row


def _named(project_id: int, key: str) -> Select[EvaluatorRow]:
    return select(EvaluatorRow).where(EvaluatorRow.project_id == project_id, EvaluatorRow.key == key)


def _count(session: Session, project_id: int) -> int:
    mine = select(func.count()).select_from(EvaluatorRow).where(EvaluatorRow.project_id == project_id)
    return session.scalar(mine) or 0
