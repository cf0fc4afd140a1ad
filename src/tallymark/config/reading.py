"""Settings out of the environment and a `.env` file."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from tallymark.config.rows import SETTINGS, Setting
from tallymark.config.settings import Settings
from tallymark.errors import BadSetting

PREFIX: Final = "TALLYMARK_"


def read_dotenv(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a `.env` file; comments, `export` and quotes as usual; {} without a file."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise BadSetting(f"{path}, line {number}: expected NAME=value.")
        values[name.strip()] = _unquote(value.strip())
    return values


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()


def _check_names(values: Mapping[str, str]) -> None:
    known = [row.name for row in SETTINGS]
    for name in values:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadSetting(f"Unknown setting {name}.{hint}", field=name, allowed=known)


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = None, **overrides: Any) -> Settings:
    """The settings out of `environ` (default: the process's) over `dotenv` (default: `./.env`).

    `overrides` are ready values by field name (a command's options); None leaves a field alone.
    Errors: `BadSetting` for an unknown name or a value that can't be read.
    """
    values = {**read_dotenv(dotenv or Path(".env")), **(os.environ if environ is None else environ)}
    _check_names(values)
    given = {field: value for field, value in overrides.items() if value is not None}
    unknown = given.keys() - {f.name for f in fields(Settings)}
    if unknown:
        raise BadSetting(f"Unknown setting {', '.join(sorted(unknown))}.")
    parsed = {row.field: _parse(row, row.text(values)) for row in SETTINGS if row.field not in given}
    return Settings(**parsed, **given)


def _parse(row: Setting, text: str) -> Any:
    try:
        return row.parse(text)
    except ValueError as error:
        name = f"{row.name} ({row.alias})" if row.alias else row.name
        raise BadSetting(f"{name} {error}, not {text!r}.", field=row.name) from None
