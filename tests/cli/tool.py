"""The `tallymark` command, run in the test's process over an application of the control API alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from tallymark.access.keys import local_key
from tallymark.cli import main
from tallymark.cli.connection import Build
from tallymark.config import Settings
from tallymark.control.database import open_database
from tests.api.control_app import control_app

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, decoded."""
        return json.loads(self.out)


def build(settings: Settings) -> Litestar:
    """The application for a data directory."""
    return control_app(open_database(settings.control_url), local_key(settings.data))


def runner(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, app: Build = build
) -> Run:
    """Runs commands with that directory's data, in that directory, without the environment's settings."""
    monkeypatch.chdir(directory)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("TALLYMARK_ENDPOINT", "TALLYMARK_KEY", "TALLYMARK_DATA", "ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments, app)
        return Ran(code, *capsys.readouterr())

    return run
