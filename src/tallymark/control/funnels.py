"""Funnels that projects declare themselves."""

from datetime import datetime

import msgspec
import structlog
from sqlalchemy import delete, select

from tallymark.control.database import Database
from tallymark.control.experiment_models import FunnelRow
from tallymark.errors import BadRequest, Conflict
from tallymark.spec.funnel import Funnel
from tallymark.spec.funnel_draft import public_funnel, read_funnel

_log = structlog.get_logger()

#: So many funnels a project may declare.
MOST_FUNNELS = 200


class Funnels:
    """The store of projects' own funnels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, project_id: int, funnel: Funnel, now: datetime) -> bool:
        """Declares a funnel, or declares it anew; gives whether it is a new one.

        Errors: `Conflict` where the project has `MOST_FUNNELS` others.
        """
        definition = _written(funnel)
        with self._database.write(project_id) as session:
            row = session.get(FunnelRow, (project_id, funnel.name))
            if row is not None:
                row.definition, row.updated_at = definition, now
                return False
            names = session.scalars(select(FunnelRow.name).where(FunnelRow.project_id == project_id)).all()
            if len(names) >= MOST_FUNNELS:
                raise Conflict(f"A project has at most {MOST_FUNNELS} funnels: delete one.")
            session.add(
                FunnelRow(
                    project_id=project_id, name=funnel.name, definition=definition, created_at=now, updated_at=now
                )
            )
            return True

    def get(self, project_id: int, name: str) -> Funnel | None:
        """The project's own funnel of that name."""
        with self._database.read(project_id) as session:
            row = session.get(FunnelRow, (project_id, name))
            return None if row is None else _funnel(row)

    def of_project(self, project_id: int) -> tuple[Funnel, ...]:
        """Every funnel that a project declares, by name; one that can't be read any more is logged and left out."""
        mine = select(FunnelRow).where(FunnelRow.project_id == project_id)
        with self._database.read(project_id) as session:
            found = [_read(row) for row in session.scalars(mine)]
        return tuple(sorted((funnel for funnel in found if funnel is not None), key=lambda funnel: funnel.name))

    def remove(self, project_id: int, name: str) -> Funnel | None:
        """Forgets a funnel; gives what it was."""
        with self._database.write(project_id) as session:
            row = session.get(FunnelRow, (project_id, name))
            if row is None:
                return None
            session.delete(row)
            return _funnel(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every funnel of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(FunnelRow).where(FunnelRow.project_id == project_id))


def _written(funnel: Funnel) -> str:
    told = public_funnel(funnel)
    return msgspec.json.encode({"title": told["title"], "steps": told["steps"], "within": told["within"]}).decode()


def _read(row: FunnelRow) -> Funnel | None:
    try:
        return _funnel(row)
    except BadRequest as error:
        _log.warning("funnel can't be read", project=row.project_id, funnel=row.name, why=error.message)
        return None


def _funnel(row: FunnelRow) -> Funnel:
    return read_funnel(row.name, msgspec.json.decode(row.definition))
