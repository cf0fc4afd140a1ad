"""Writes the pages of `docs/` that say what the code says: metrics, settings, commands.

    python -m scripts.build_docs

A test fails where a page is not what this would write.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer

from tallymark.cli import app
from tallymark.config import SETTINGS, Setting
from tallymark.packs import BUILTIN
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import Rows
from tallymark.spec.metric import Formula, Mean, Metric, Newcomers, Plain, Quantile, Ratio
from tallymark.spec.pack import Pack

DOCS: Final = Path(__file__).parent.parent / "docs"

_WRITTEN: Final = "<!-- Written by `python -m scripts.build_docs`: change the code, not this page. -->"
_GOOD: Final = {"up": "higher", "down": "lower", "neither": "–"}


def metrics() -> str:
    """`docs/metrics.md`."""
    catalog = Catalog.of(BUILTIN)
    lines = [
        "# Metrics and dimensions",
        "",
        "What `GET /v1/query` can be asked for, as `GET /v1/metrics` lists it. A project has the metrics of the core "
        "and of its packs. How to ask is in [query.md](query.md), what a session is in "
        "[rollups.md](rollups.md#sessions).",
        "",
        "*Better* says which way is good, *accuracy* how near a number is to the truth. Metrics over *sessions* have "
        "the dimensions of sessions, those over *exposed* events (once for each experiment that the actor is in) those "
        "of exposed events, all others those of events.",
    ]
    for pack in BUILTIN:
        lines += ["", *_pack(pack)]
    lines += ["", *_dimensions(catalog)]
    return _page(lines)


def _pack(pack: Pack) -> Iterator[str]:
    yield f"## {pack.title} (`{pack.name}`)"
    yield ""
    yield pack.help
    yield ""
    yield "| metric | what | over | unit | better | accuracy |"
    yield "|---|---|---|---|---|---|"
    for metric in pack.metrics:
        yield _row(
            f"`{metric.name}`", f"**{metric.label}.** {metric.help}", str(metric.rows), metric.unit, _GOOD[metric.good],
            metric.accuracy,
        )  # fmt: skip
    yield ""
    yield "<details><summary>How they are computed</summary>"
    yield ""
    yield "| metric | formula |"
    yield "|---|---|"
    for metric in pack.metrics:
        yield _row(f"`{metric.name}`", f"`{_formula(metric)}`")
    yield ""
    yield "</details>"


def _formula(metric: Metric) -> str:
    formula: Formula = metric.formula
    match formula:
        case Plain(measure):
            return measure.key
        case Ratio(upper, lower):
            return f"{upper.key} / {lower.key}"
        case Mean(measure):
            return f"mean of {measure.key}"
        case Quantile(level, measure):
            return f"quantile {level} of {measure.key}"
        case Newcomers(measure, returning, share):
            told = f"{'not ' if returning else ''}first seen in the window, of {measure.key}"
            return f"{told}, over all of them" if share else told


def _dimensions(catalog: Catalog) -> Iterator[str]:
    yield "## Dimensions"
    yield ""
    yield "| dimension | what | events | sessions | exposed |"
    yield "|---|---|---|---|---|"
    for dimension in catalog.dimensions.values():
        on = ["yes" if dimension.on(rows) is not None else "–" for rows in (Rows.EVENTS, Rows.SESSIONS, Rows.EXPOSED)]
        yield _row(f"`{dimension.name}`", f"**{dimension.label}.** {dimension.help}", *on)


def settings() -> str:
    """`docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Settings are environment variables, or `NAME=value` lines of a file `.env` in the working directory; the "
        "environment wins. They are read once, at start. An unknown `TALLYMARK_*` name or a value that can't be used "
        "ends the command with a sentence that says so and exit code 2. Options of a command, such as `--port`, win "
        "over both.",
        "",
        "| setting | default | what |",
        "|---|---|---|",
        *(_row(f"`{s.name}`", f"`{s.default}`" if s.default else "–", _with_alias(s)) for s in SETTINGS),
    ]
    return _page(lines)


def _with_alias(setting: Setting) -> str:
    return f"{setting.help} Also `{setting.alias}`." if setting.alias else setting.help


def cli() -> str:
    """`docs/cli.md`."""
    root = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "`tallymark COMMAND --help` says the same. A command that needs a project's data talks to the server at "
        "`--endpoint`; without one to the server that runs over the data directory; without one of those it runs the "
        "same application itself, over that directory (but for `smoke`, which tests a server). The key is `--key` or "
        "`TALLYMARK_KEY`; on the machine of the data directory none is needed.",
        "",
        "Exit codes: 0, 1 for an error (or a difference found by `rollup check`, or something wrong found by "
        "`doctor` or `smoke`), 2 for wrong usage or a bad setting. Errors go to standard error; with `--json` standard "
        "output is one JSON value.",
        "",
        "## Options before the command",
        "",
        *_parameters(root),
        *(line for name, command in commands() for line in _command(name, command)),
    ]
    return _page(lines)


def commands() -> list[tuple[str, Any]]:
    """Every command with its full name, such as `keys create`."""
    return list(_leaves("", typer.main.get_command(app)))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    below: Mapping[str, Any] | None = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for part, sub in below.items():
        yield from _leaves(f"{name} {part}".strip(), sub)


def _command(name: str, command: Any) -> Iterator[str]:
    yield ""
    yield f"## {name}"
    yield ""
    yield " ".join(line.strip() for line in (command.help or "").splitlines() if line.strip())
    yield ""
    yield "```bash"
    yield (command.epilog or "").removeprefix("Example: ")
    yield "```"
    yield ""
    yield from _parameters(command)


def _parameters(command: Any) -> Iterator[str]:
    yield "| argument or option | what |"
    yield "|---|---|"
    for parameter in command.params:
        if parameter.name == "help":
            continue
        option = parameter.param_type_name == "option"
        shown = ", ".join(f"`{name}`" for name in parameter.opts) if option else f"`{_metavar(parameter)}`"
        needed = " Required." if option and parameter.required else ""
        yield _row(shown, f"{parameter.help}{needed}")


def _metavar(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    return f"{name}" if parameter.required else f"[{name}]"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _page(lines: list[str]) -> str:
    return "\n".join([_WRITTEN, *lines]) + "\n"


#: What each page is written by.
PAGES: Final[Mapping[str, Callable[[], str]]] = {"metrics.md": metrics, "settings.md": settings, "cli.md": cli}


def main() -> None:
    """Writes the pages."""
    for name, text in PAGES.items():
        (DOCS / name).write_text(text(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
