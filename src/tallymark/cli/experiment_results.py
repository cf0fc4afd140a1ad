"""`tallymark experiments results`: what an experiment shows."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Start
from tallymark.cli.output import AsJson, print_json, print_table
from tallymark.spec.json_values import key as checked

_COLUMNS: Final = {
    "metric": "Metric", "variant": "Variant", "n": "Units", "value": "Value", "absolute": "Effect",
    "relative": "Relative", "pValue": "p", "adjustedPValue": "p adjusted", "sequential": "p at any look",
    "chance": "Chance to win", "said": "",
}  # fmt: skip


def results(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the experiment.")],
    project: Annotated[
        str | None, typer.Option("--project", help="Name of the project; default: the key's own.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day of exposures; default: its start.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default: its end, or now.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metrics to show, separated by commas; default: all.")] = None,
    effect: Annotated[float | None, typer.Option(help="Relative effect that power is told of; default 0.05.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what an experiment has found: every metric in every variant, compared with control."""
    given = {"project": project, "from": first, "to": last, "metric": metric, "effect": effect}
    start: Start = context.obj
    with start.connect() as connection:
        path = f"/ab/v1/experiments/{checked(key, 'key')}/results"
        answer = connection.get(path, params={name: value for name, value in given.items() if value is not None})
    if as_json:
        print_json(answer)
        return
    for warning in answer["warnings"]:
        typer.echo(f"{warning['code']}: {warning['message']}", err=True)
    typer.echo(_head(answer))
    print_table(_COLUMNS, _rows(answer))


def _head(answer: Mapping[str, Any]) -> str:
    """A line on who is in it and until when."""
    units = ", ".join(f"{variant} {n}" for variant, n in answer["exposedUnits"].items())
    window, srm = answer["window"], answer["srm"]["pValue"]
    return (
        f"{answer['experiment']} ({answer['status']}), {window['from']} to {window['to']}: {units} units; "
        f"sample ratio p = {_number(srm) or 'unknown'}"
    )


def _rows(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for metric in answer["metrics"]:
        for shown in metric["variants"]:
            yield {
                "metric": metric["name"] if metric["direction"] == "up" else f"{metric['name']} (less is better)",
                "variant": shown["variant"],
                "n": shown["n"],
                "value": _number(shown["value"]),
                "absolute": _interval(shown["absolute"]),
                "relative": _interval(shown["relative"], percent=True),
                "pValue": _number(shown["pValue"]),
                "adjustedPValue": _number(shown["adjustedPValue"]),
                "sequential": _number((shown["sequential"] or {}).get("pValue")),
                "chance": _number((shown["bayes"] or {}).get("chanceToWin"), percent=True),
                "said": _said(shown, metric["direction"]),
            }


def _said(shown: Mapping[str, Any], direction: str) -> str | None:
    """A guardrail's verdict, or that the variant is significantly better or worse."""
    if shown["harm"] is not None:
        verdict: str | None = shown["harm"]["verdict"]
        return verdict
    if not shown["significant"]:
        return None
    effect = shown["absolute"]["effect"]
    # A quantile may stay where it is while fewer units are at or below it.
    if not effect:
        return "significantly different"
    return "significantly better" if (effect > 0) == (direction == "up") else "significantly worse"


def _interval(told: Mapping[str, Any] | None, percent: bool = False) -> str | None:
    if told is None or told["effect"] is None:
        return None
    effect, low, high = (_number(told[name], percent) for name in ("effect", "low", "high"))
    return effect if low is None or high is None else f"{effect} ({low} to {high})"


def _number(value: float | None, percent: bool = False) -> str | None:
    if value is None:
        return None
    return f"{value:.2%}" if percent else f"{value:.4g}"
