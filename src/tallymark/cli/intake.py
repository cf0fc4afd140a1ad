"""What commands that take events in have in common: where events go, what becomes a field, the bar, the tally."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Connection, Refused, Start
from tallymark.cli.output import print_json
from tallymark.cli.tally import Tally
from tallymark.cli.transfer import Send, Tell, only_decode, sender
from tallymark.errors import NotFound
from tallymark.ingest.access_log import RequestKind

ProjectName = Annotated[str, typer.Option("--project", "-p", metavar="NAME", help="Where the events go.")]
Create = Annotated[bool, typer.Option("--create", help="Create the project (pack web) if there is none.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and count, and send nothing.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Column of a field or of properties.NAME; repeatable."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=TEXT", help="The same for every event; repeatable."),
]


@dataclass(frozen=True)
class Intake:
    """Where events go; `packs` are those of a project that is made for them."""

    start: Start
    project: str
    create: bool
    dry_run: bool
    as_json: bool
    packs: tuple[str, ...] = ("web",)

    def check(self) -> None:
        """Refuses to go on without a project."""
        if not self.project and not self.dry_run:
            raise typer.BadParameter("say which project, as in --project site")

    def tally(self, kinds: Counter[RequestKind] | None = None) -> Tally:
        """An empty tally."""
        return Tally(self.project, self.dry_run, kinds)

    @contextmanager
    def taking(self, tally: Tally) -> Iterator[Send]:
        """Where events are sent; a dry run only looks at them. Ends as `connected`."""
        with self.connected(tally) as connection:
            yield only_decode if connection is None else sender(connection, tally.project)

    @contextmanager
    def connected(self, tally: Tally) -> Iterator[Connection | None]:
        """The way to the project, None in a dry run.

        When the block ends the numbers are there, and the tally is shown, even of a broken block; exits with 1 if
        all was refused.
        """
        try:
            if self.dry_run:
                yield None
            else:
                with self._to_project(tally) as connection:
                    yield connection
        except BaseException:
            if tally.read:
                self._show(tally)
            raise
        self._show(tally)
        if tally.refused and not tally.accepted:
            raise typer.Exit(1)

    @contextmanager
    def _to_project(self, tally: Tally) -> Iterator[Connection]:
        with self.start.connect() as connection:
            tally.project, tally.keys = self._project(connection)
            yield connection
            answer = connection.post("/v1/rollup/run", params={"project": tally.project, "job": "daily"})
            tally.refreshed = answer["refreshed"]

    def _project(self, connection: Connection) -> tuple[str, dict[str, str] | None]:
        """The project's name, and its keys if it was created now. Errors: `NotFound`."""
        try:
            return connection.get(f"/v1/projects/{quote(self.project, safe='')}")["project"]["name"], None
        except Refused as error:
            if error.status != NotFound.status:
                raise
        if not self.create:
            raise NotFound(f"There is no project {self.project!r}; --create makes it.", field="project")
        made = connection.post("/v1/projects", json={"name": self.project, "packs": self.packs})
        return made["project"]["name"], made["keys"]

    def _show(self, tally: Tally) -> None:
        if self.as_json:
            print_json(tally.told())
        else:
            tally.show()


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """What is given as NAME=TEXT, by name."""
    for text in texts:
        if "=" not in text:
            raise typer.BadParameter(f"{option} {text} has no = in it, as in {option} event=signup")
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


@contextmanager
def meter(total: int | None, unit: ProgressColumn, tally: Tally) -> Iterator[Tell]:
    """A progress bar on standard error, if that is a terminal; `unit` shows how much of `total` is done."""
    console = Console(stderr=True)
    columns = (BarColumn(), unit, TextColumn("{task.fields[rate]:,} events/s"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total, rate=0)
        yield lambda done: progress.update(task, completed=done, rate=tally.rate())
