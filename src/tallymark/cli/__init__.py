"""The `tallymark` command: its root, and the commands below it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from litestar import Litestar

from tallymark import __version__
from tallymark.cli import (
    annotations,
    archives,
    behaviour,
    doctor,
    evaluate,
    evaluators,
    experiments,
    exports,
    funnels,
    importing,
    keys,
    link,
    people,
    projects,
    purge,
    querying,
    quizzes,
    reports,
    reviews,
    rollups,
    segments,
    serving,
    smoke,
    sync,
)
from tallymark.cli.connection import Build, Start
from tallymark.config import Settings
from tallymark.errors import BadSetting, TallymarkError
from tallymark.logs import configure

#: Every group of commands there is.
GROUPS: tuple[typer.Typer, ...] = (
    serving.app,
    link.app,
    projects.app,
    keys.app,
    importing.app,
    sync.app,
    querying.app,
    segments.app,
    annotations.app,
    funnels.app,
    behaviour.app,
    reports.app,
    rollups.app,
    exports.app,
    archives.app,
    experiments.app,
    evaluators.app,
    evaluate.app,
    reviews.app,
    quizzes.app,
    people.app,
    purge.app,
    doctor.app,
    smoke.app,
)

app = typer.Typer(
    name="tallymark",
    help="Events in, exact and repeatable numbers out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in GROUPS:
    app.add_typer(group)

#: An error shows what is allowed if that is no more than this many words.
_MOST_ALLOWED = 12


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallymark {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    endpoint: Annotated[
        str | None,
        typer.Option(help="Server to talk to; else the one of this machine, else the data directory."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="Key to use with that server.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Events in, exact and repeatable numbers out."""
    configure("warning", "auto")
    build: Build = context.obj or _build
    context.obj = Start(build, {"endpoint": endpoint, "key": key, "data": data})


def main(arguments: Sequence[str] | None = None, build: Build | None = None) -> int:
    """Runs a command; gives its exit code: 0, 1 for an error, 2 for wrong usage or a bad setting.

    `build` makes the application for commands that find no server.
    """
    try:
        app(args=arguments, obj=build)
    except TallymarkError as error:
        sys.stderr.write(f"error: {_sentence(error)}\n")
        return 2 if isinstance(error, BadSetting) else 1
    except OSError as error:
        sys.stderr.write(f"error: {error.strerror or error}: {error.filename or ''}\n")
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _sentence(error: TallymarkError) -> str:
    if error.allowed and len(error.allowed) <= _MOST_ALLOWED:
        return f"{error.message} Allowed: {', '.join(error.allowed)}."
    return error.message


def _build(settings: Settings) -> Litestar:
    from tallymark.app import build  # noqa: PLC0415  # slow to import, and most commands talk to a server

    return build(settings)
