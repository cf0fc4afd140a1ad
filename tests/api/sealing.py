"""Days that lose their raw events, as a purge leaves them, for the time of the engine's own clock."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tallymark.rollup.run import publish, published
from tests.packs.world import Application


def seal(app: Application, name: str, *days: date) -> None:
    """Rolls a project up, then takes the events of these UTC days: their numbers stay as they are."""
    app.settle(name)
    engine, project = app.here.engine, app.project(name)
    runs = [run for run in published(engine, project.id) if run.day in days]
    assert len(runs) == len(days)
    publish(engine, [replace(run, expires_from=datetime(2020, 1, 1, tzinfo=UTC)) for run in runs])
    for day in days:
        engine.command(
            "ALTER TABLE events DELETE WHERE project = {project:UInt32} AND occurred_at >= {day:Date} "
            "AND occurred_at < {next:Date} SETTINGS mutations_sync = 2",
            {"project": project.id, "day": day, "next": day + timedelta(days=1)},
        )
