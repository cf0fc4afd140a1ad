"""`tallymark people`: export, delete, list, unsubscribe-link."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table

app = typer.Typer(name="people", help="Find, export and delete what is held about people.", no_args_is_help=True)

_COLUMNS = {
    "leadId": "Id",
    "email": "Address",
    "form": "Form",
    "submissions": "Forms sent",
    "firstCapturedAt": "First",
    "lastCapturedAt": "Last",
    "consents": "Consents",
    "unsubscribedAt": "Unsubscribed",
}
_DELETED = {
    "submissions": "Forms",
    "links": "Links",
    "actors": "Visitors",
    "days": "Days to compute again",
    "sharedVisitors": "Shared visitors, left",
}
_EXPORTED = {
    "property": "Project",
    "email": "Address",
    "captured": "First form",
    "submissions": "Forms",
    "consents": "Consents logged",
    "unsubscribed": "Unsubscribed",
    "links": "Links",
    "events": "Events",
}

Email = Annotated[str, typer.Option(help="The person's address.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; else the default one.")]


@app.command("export", epilog="Example: tallymark people export --email ada@example.org --project site --out ada.json")
def export(
    context: typer.Context,
    email: Email,
    project: ProjectOption = None,
    out: Annotated[Path | None, typer.Option(help="File to write it to, as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Export everything that is held about a person, for an access request; without --out or --json an overview."""
    with _connect(context) as connection:
        answer = connection.post("/web/v1/people/export", json=_person(email, project))
    answer.pop("ok")
    if out is not None:
        _write(out, answer)
    if as_json:
        print_json(answer if out is None else {"file": str(out)})
    elif out is not None:
        typer.echo(f"Wrote {out}.")
    else:
        print_fields(_EXPORTED, _overview(answer))


@app.command("delete", epilog="Example: tallymark people delete --email ada@example.org --project site --yes")
def delete(
    context: typer.Context,
    email: Email,
    project: ProjectOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; needed where nobody can be asked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a person: lead, forms, links and the events of the visitors that they are. Numbers follow."""
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("say --yes: there is no terminal to ask on")
        typer.confirm("Delete everything that is held about this person?", abort=True, err=True)
    with _connect(context) as connection:
        answer = connection.post("/web/v1/leads/delete", json=_person(email, project))
    deleted = {**answer["deleted"], "sharedVisitors": answer["sharedVisitors"]}
    if as_json:
        print_json(deleted)
        return
    typer.echo("Deleted the person.")
    print_fields(_DELETED, deleted)


@app.command("list", epilog="Example: tallymark people list --project site --limit 20")
def list_(
    context: typer.Context,
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 50,
    before: Annotated[int | None, typer.Option(help="The `next` of the list before, as --json tells it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List leads, newest first, with addresses and consents."""
    given = {"propertyId": project, "limit": limit, "before": before}
    with _connect(context) as connection:
        answer = connection.get("/web/v1/leads", params={name: v for name, v in given.items() if v is not None})
    if as_json:
        print_json({"leads": answer["leads"], "next": answer["next"]})
    elif answer["leads"]:
        print_table(_COLUMNS, [{**lead, "consents": _said(lead["consent"])} for lead in answer["leads"]])
    else:
        typer.echo("There are no leads yet.")


@app.command(
    "unsubscribe-link",
    epilog="Example: tallymark people unsubscribe-link --email ada@example.org --project site",
)
def unsubscribe_link(
    context: typer.Context, email: Email, project: ProjectOption = None, as_json: AsJson = False
) -> None:
    """Print the unsubscribe link of an address, and the headers that a mail with it has."""
    with _connect(context) as connection:
        answer = connection.post("/web/v1/unsubscribe/link", json=_person(email, project))
    answer.pop("ok")
    if as_json:
        print_json(answer)
        return
    typer.echo(f"{answer['url']}\n")
    for name, value in answer["headers"].items():
        typer.echo(f"{name}: {value}")


def _person(email: str, project: str | None) -> dict[str, str]:
    return {"email": email, **({"propertyId": project} if project else {})}


def _overview(answer: dict[str, Any]) -> dict[str, Any]:
    lead, unsubscribe = answer["lead"] or {}, answer["unsubscribe"] or {}
    return {
        "property": answer["property"],
        "email": lead.get("email"),
        "captured": lead.get("firstCapturedAt"),
        "unsubscribed": unsubscribe.get("at"),
        **{name: len(answer[name]) for name in ("submissions", "consents", "links", "events")},
    }


def _said(consent: dict[str, str]) -> str | None:
    return ", ".join(f"{purpose} {state}" for purpose, state in consent.items()) or None


def _write(path: Path, answer: dict[str, Any]) -> None:
    """Writes a file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(answer, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
