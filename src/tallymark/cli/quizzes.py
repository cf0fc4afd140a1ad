"""`tallymark quizzes`: whose they are, and how they do."""

from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.cli.quiz_analysis import ProjectOption, Quiz, items, statistics

app = typer.Typer(name="quizzes", help="Which quizzes there are, who owns them, and how they do.", no_args_is_help=True)

_PATH: Final = "/quiz/api/v1/quizzes"
_COLUMNS: Final = {"quizId": "Quiz", "title": "Title", "owner": "Owner", "updatedAt": "Changed"}

app.command("items", epilog="Example: tallymark quizzes items algebra --project school --attempts first")(items)
app.command("statistics", epilog="Example: tallymark quizzes statistics algebra --project school --from 2026-02-01")(
    statistics
)


@app.command("list", epilog="Example: tallymark quizzes list --project school")
def list_(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """List quizzes with their owners."""
    with _connect(context) as connection:
        answer = connection.get(_PATH, params=_given(project=project))
    if as_json:
        print_json(answer)
    elif answer["quizzes"]:
        print_table(_COLUMNS, answer["quizzes"])
    else:
        typer.echo("Nobody said whose a quiz is.")


@app.command("set", epilog="Example: tallymark quizzes set algebra --project school --title Algebra --owner 7f9c1e")
def set_(
    context: typer.Context,
    quiz: Quiz,
    project: ProjectOption = None,
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    owner: Annotated[str, typer.Option(help="The `sub` of its owner's tokens; default: nobody.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say what a quiz is called and who owns it: teachers see the numbers of quizzes that they own."""
    with _connect(context) as connection:
        body = {"title": title, "owner": owner}
        answer = connection.put(f"{_PATH}/{quote(quiz, safe='')}", params=_given(project=project), json=body)
    if as_json:
        print_json(answer)
    else:
        print_fields(_COLUMNS, answer["quiz"])


@app.command("delete", epilog="Example: tallymark quizzes delete algebra --project school")
def delete(context: typer.Context, quiz: Quiz, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Forget a quiz's title and owner; its events stay."""
    with _connect(context) as connection:
        answer = connection.delete(f"{_PATH}/{quote(quiz, safe='')}", params=_given(project=project))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Forgot whose quiz {answer['deleted']['quizId']} is.")


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
