"""Views are made where they are not as they should be, and the engine's projects are those that there are."""

from collections.abc import Callable

from tallymark.engine.base import Engine
from tallymark.engine.views import define, note
from tallymark.packs import VIEWS
from tallymark.spec.project import Project

#: The packs' views: the column that names a project, and a condition on its days or months.
KEYS = {
    "daily_metric_rollups": ("property_id", "day = '2026-03-01'"),
    "daily_ingest_rollups": ("property_id", "day = '2026-03-01'"),
    "daily_aggregates": ("project", "date = '2026-03-01' AND network = 'x'"),
    "monthly_aggregates": ("project", "month = '2026-03' AND network = 'x'"),
    "experiment_metric_rollups": ("project", "date = '2026-03-01' AND experiment = 'x'"),
    "funnel_rollups": ("project", "date = '2026-03-01' AND funnel = 'x'"),
    "rollup_runs": ("project", "first_day = '2026-03-01' AND job = 'x'"),
    "app_activity": ("project", "date = '2026-03-01' AND network = 'x'"),
    "voice_queries": ("project", "created_at < '2026-03-01' AND query_id = 'x'"),
    "voice_outcomes": ("project", "created_at < '2026-03-01' AND query_id = 'x'"),
    "voice_evaluations": ("project", "created_at < '2026-03-01' AND evaluator = 'x'"),
    "quiz_attempts": ("project", "created_at < '2026-03-01' AND attempt_id = 'x'"),
    "quiz_answers": ("project", "created_at < '2026-03-01' AND question_id = 'x'"),
}


def test_views_are_made_once(either: Engine) -> None:
    views = {"seven": "SELECT 7 AS n, 'it''s' AS text", "nine": "SELECT 9 AS n"}
    assert define(either, views) == ["seven", "nine"]
    assert define(either, views) == []
    assert define(either, {**views, "nine": "SELECT 10 AS n"}) == ["nine"]
    assert [*either.query("SELECT seven.n, text, nine.n FROM seven, nine")] == [(7, "it's", 10)]
    for name in views:
        either.command(f"DROP VIEW {name}")


def test_the_packs_views_are_understood(either: Engine) -> None:
    define(either, VIEWS)
    assert VIEWS.keys() == KEYS.keys()
    for name, (owner, period) in KEYS.items():
        assert list(either.query(f"SELECT * FROM {name} WHERE {owner} = 'of nobody' AND {period}")) == []


def test_the_projects_are_those_that_there_are(either: Engine, project: Callable[..., Project]) -> None:
    one, two = project(), project(packs=())
    note(either, lambda: [one, two])
    note(either, lambda: [one, two])
    assert told(either) == [(one.id, one.name, ["web"]), (two.id, two.name, [])]
    (stored,) = either.query("SELECT count() FROM projects")
    assert stored == (2,)
    renamed = project(id=one.id, name="renamed")
    note(either, lambda: [renamed])
    assert told(either) == [(one.id, "renamed", ["web"])]
    note(either, lambda: [])
    assert told(either) == []


def told(engine: Engine) -> list[tuple[int, str, list[str]]]:
    return [tuple(row) for row in engine.query("SELECT project, name, packs FROM projects FINAL ORDER BY project")]
