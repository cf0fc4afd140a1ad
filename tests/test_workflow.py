"""The workflow that asks a server for its rollups is one, and asks for what there is."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml  # type: ignore[import-untyped]  # has no types
from litestar import Litestar

from tallymark.app import build
from tallymark.config import load
from tallymark.engine.base import Engine

FILE = Path(__file__).parent.parent / ".github/workflows/analytics-rollup.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    told: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    data = tmp_path_factory.mktemp("workflow")
    return build(load({}, data / ".env", data=data), engine)


def test_it_runs_daily_and_needs_nothing_but_curl(workflow: dict[Any, Any]) -> None:
    minute, hour, *rest = workflow[True]["schedule"][0]["cron"].split()  # YAML takes `on` for true
    assert (minute.isdigit(), hour.isdigit(), rest) == (True, True, ["*"] * 3)
    (job,) = workflow["jobs"].values()
    assert [list(step) for step in job["steps"]] == [["name", "run"]] * 2
    assert set(re.findall(r"secrets\.(\w+)", FILE.read_text())) == {"TALLYMARK_URL", "TALLYMARK_ADMIN_KEY"}


def test_it_asks_for_what_there_is(workflow: dict[Any, Any], app: Litestar) -> None:
    (job,) = workflow["jobs"].values()
    asked = [re.search(r'--request (\w+).*"\$TALLYMARK_URL(\S+)"', s["run"], re.DOTALL) for s in job["steps"]]
    schema = app.openapi_schema.to_schema()["paths"]
    for found in asked:
        assert found is not None
        url = urlsplit(found[2])
        operation = schema[url.path][found[1].lower()]
        known = {parameter["name"] for parameter in operation["parameters"]}
        assert parse_qs(url.query).keys() <= known
    assert len(asked) == 2
