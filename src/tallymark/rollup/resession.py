"""Sessions of sealed days, derived again where their events came back: their rows went with these."""

from collections.abc import Sequence
from datetime import datetime

from tallymark.engine.base import Engine
from tallymark.engine.holding import holds
from tallymark.rollup import sql
from tallymark.rollup.run import Run
from tallymark.rollup.scope import Scope


def derive_again(engine: Engine, runs: Sequence[Run], now: datetime) -> None:
    """Replaces the rows of `sessions` of the sealed ones of some runs of a project; nothing is published by that."""
    sealed = [run for run in runs if run.sealed(now)]
    if not sealed:
        return
    theirs = "project = {project:UInt32} AND run IN {runs:Array(UInt64)}"
    params = {"project": sealed[0].project, "runs": [run.run for run in sealed]}
    if holds(engine, "sessions", theirs, params):
        engine.command(f"ALTER TABLE sessions DELETE WHERE {theirs} SETTINGS mutations_sync = 2", params)
    for run in sealed:
        scope = Scope(run.project, run.day, run.day, run.timezone)
        engine.command(sql.sessions(several=False), {**scope.params(), "run": run.run, "shelf": run.shelf})
