"""`tallymark smoke`: sends samples to a running server, waits until they show in the answers, says what did not."""

from __future__ import annotations

import secrets
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Connection, Start, Unreachable, connect_to_server
from tallymark.cli.output import AsJson, print_json
from tallymark.cli.smoke_steps import Finding, Tester
from tallymark.errors import NotFound, Unavailable
from tallymark.spec.smoke import SMOKE, Call, Step, Trial

if TYPE_CHECKING:
    from tallymark.packs.product import Product

app = typer.Typer()

#: The pack that every project has.
_CORE: Final = "core"

#: In a project of the test's own, samples don't stay for long.
_RETENTION: Final = "24h"

#: Digits could look like personal data.
_LETTERS: Final = string.ascii_lowercase
_ID_LENGTH: Final = 10


class NoServer(Unavailable):
    """There is no running server to test."""

    code = "no_server"


@app.command(
    "smoke", epilog="Example: tallymark smoke --pack web --endpoint https://metrics.example.org --key tm_admin_…"
)
def smoke(
    context: typer.Context,
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="A pack to test; may be given again. Default: all.")
    ] = None,
    project: Annotated[
        str | None, typer.Option(help="Project to send samples to; default: smoke-PACK, which is made if need be.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Server to test, as before the command's name.")] = None,
    key: Annotated[str | None, typer.Option(help="Admin key, as before the command's name.")] = None,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that an answer, or numbers in it, may take.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Test a running server end to end: send marked samples, wait until the answers show them, say what did not.

    Exits 1 where something did not.
    """
    start: Start = context.obj
    given = {name: value for name, value in (("endpoint", endpoint), ("key", key)) if value}
    products = _products(pack or [])
    with _server(Start(start.build, {**start.options, **given}), timeout) as connection, _progress() as begin:
        report = Report(connection.url, "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH)), as_json)
        with suppress(Unreachable):  # which has been told
            for product in products:
                tester = Tester(connection, product.pack.name, timeout, begin, report.add)
                _test(product, tester, report.id, project, chosen=bool(pack))
    report.close()
    if not report.ok:
        raise typer.Exit(1)


@dataclass
class Report:
    """What came of all steps: told to people as it comes, to programs at the end."""

    endpoint: str
    id: str
    as_json: bool
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all was well."""
        return all(finding.ok for finding in self.findings)

    def add(self, finding: Finding) -> None:
        """Takes what came of a step."""
        self.findings.append(finding)
        if not self.as_json:
            for line in _lines(finding):
                sys.stdout.write(f"{line}\n")  # not `typer.echo`, which writes through a progress line

    def close(self) -> None:
        """Tells of all together."""
        if self.as_json:
            steps = [{"ok": finding.ok, **asdict(finding)} for finding in self.findings]
            print_json({"ok": self.ok, "endpoint": self.endpoint, "id": self.id, "steps": steps})
            return
        failed = sum(not finding.ok for finding in self.findings)
        told = f"{failed} of {len(self.findings)} steps failed" if failed else f"All {len(self.findings)} steps are ok"
        typer.echo(f"{told} at {self.endpoint}; samples have smoke: PACK-{self.id}.")


def _lines(finding: Finding) -> Iterator[str]:
    """A line of what went well; of what did not also what was expected, sent, and is to be done."""
    yield f"{'ok' if finding.ok else 'FAILED':8}{finding.pack:7}{finding.step}"
    if not finding.ok:
        answered = "was not answered" if finding.status is None else f"was answered {finding.status}"
        yield from (f"{'':15}{text}" for text in (finding.problem, f"{finding.request} {answered}", finding.advice))


def _products(names: Sequence[str]) -> list[Product]:
    """The packs of these names, or all, that have a smoke test."""
    from tallymark.packs import PRODUCTS  # noqa: PLC0415  # slow to import, and most commands don't need them

    known = {product.pack.name: product for product in PRODUCTS if product.smoke is not None}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"there is no smoke test of a pack {name!r}, but of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names or known)]


def _server(start: Start, seconds: float) -> Connection:
    """A connection to a server that is running already. Errors: `NoServer`."""
    connection = connect_to_server(start.settings(), seconds)
    if connection is None:
        raise NoServer(
            "A smoke test is of a running server, and here is none: start one with `tallymark serve`, or name one with "
            "--endpoint."
        )
    return connection


def _test(product: Product, tester: Tester, id_: str, named: str | None, chosen: bool) -> None:
    """Tests a pack, in its own project or in the one that is named, if that has it or the pack is `chosen`.

    Errors: `Unreachable`.
    """
    project, finding = _project(tester, named)
    if named and not chosen and finding.ok and tester.pack not in (_CORE, *project.get("packs", ())):
        return
    tester.end(finding)
    if finding.ok and product.smoke is not None:
        now = datetime.now(ZoneInfo(project.get("timezone", "UTC")))
        tester.test(product.smoke(Trial(project["name"], f"{tester.pack}-{id_}", now)))


def _project(tester: Tester, named: str | None) -> tuple[Any, Finding]:
    """The project to send samples to, made if it is to be the pack's own, and how that went. Errors: `Unreachable`."""
    name = named or f"{SMOKE}-{tester.pack}"
    says = {"project.name": name}
    there = Call("GET", f"/v1/projects/{quote(name, safe='')}")
    body, finding = tester.look(Step("the project is there", there, says=says))
    if not named and finding.status == NotFound.status:
        packs = [] if tester.pack == _CORE else [tester.pack]
        made = Call("POST", "/v1/projects", json={"name": name, "packs": packs, "retention": _RETENTION})
        body, finding = tester.look(Step("the project is made", made, (201,), says))
    return (body["project"] if finding.ok else None), finding


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is waited for, if that is a terminal."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal,
                  redirect_stdout=sys.stdout.isatty()) as progress:  # fmt: skip
        task = progress.add_task("")

        def begin(step: str) -> None:
            if progress.tasks[task].description != step:  # else the time that it takes goes on
                progress.reset(task, description=step)

        yield begin
