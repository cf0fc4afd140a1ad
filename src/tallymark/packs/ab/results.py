"""`GET /ab/v1/experiments/{key}/results`: what an experiment shows, from raw events."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Final

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, check_names, given_in, one, parse_day
from tallymark.api.services import Services, services
from tallymark.control.experiments import subject_of
from tallymark.errors import BadQuery
from tallymark.experiment.span import span_of
from tallymark.packs.ab.assignment import UnknownExperiment
from tallymark.packs.ab.contract import CONTRACT
from tallymark.packs.ab.results_course import course_of
from tallymark.packs.ab.results_shape import Results
from tallymark.spec.experiment import Experiment
from tallymark.spec.project import Project

_PARAMETERS: Final = ("project", "from", "to", "metric", "effect")

#: The effect that power is told of unless the question names one, in parts of control.
_PLANNED: Final = 0.05
_SMALLEST, _LARGEST = 1e-4, 100.0


@get(
    "/v1/experiments/{key:str}/results",
    summary="Results of an experiment",
    description=(
        "Per variant and metric: units, value, absolute and relative effect with intervals, p-values, the sequential "
        "and the Bayesian view, power; with the check of the variants' sizes. `conventions` says what each is. Needs a "
        "key that may read."
    ),
    responses=documented(400, 401, 403, 404, 503),
)
async def experiment_results(
    request: Call,
    key: Annotated[str, PathParameter(description="Key of an experiment.")],
    project: Annotated[str | None, QueryParameter(description="Name of a project with the pack ab.")] = None,
    first: Annotated[
        str | None, QueryParameter(name="from", description="First day of exposures; default: when it started.")
    ] = None,
    last: Annotated[
        str | None, QueryParameter(name="to", description="Last day; default: when it stopped, or now.")
    ] = None,
    metric: Annotated[str | None, QueryParameter(description="Metrics to show, by commas; default: all.")] = None,
    effect: Annotated[
        str | None, QueryParameter(description="The relative effect that power is told of; default 0.05.")
    ] = None,
) -> Results:
    """The results."""
    here, given = services(request.app.state), given_in(request)
    owner = await asyncio.to_thread(CONTRACT.read_by, here, request.scope, one(given, "project"))
    check_names(given, _PARAMETERS)
    return await asyncio.to_thread(_results, here, owner, key, given)


def _results(here: Services, project: Project, key: str, given: Parameters) -> Results:
    # They bring in scipy, which takes seconds: no server's start and no command should wait for that.
    from tallymark.experiment.report import report  # noqa: PLC0415
    from tallymark.experiment.units import measure  # noqa: PLC0415
    from tallymark.packs.ab.results_told import told  # noqa: PLC0415

    experiment = here.experiments.get(project.id, key)
    if experiment is None:
        raise UnknownExperiment(f"There is no experiment {key[:64]!r}.", field="key")
    shown, planned, now = _shown(given, experiment), _planned(given), datetime.fromtimestamp(here.now(), UTC)
    span = span_of(experiment, project.timezone, *_days(given), now)
    units = measure(here.engine, project, experiment, span, _testers(here, project, experiment))
    course = course_of(experiment, span, here.audit.list(project.id, subject_of(experiment.key)))
    return told(report(experiment, units, planned), project, span, planned, shown, course, now)


def _days(given: Parameters) -> tuple[date | None, date | None]:
    """The first and the last day that are asked for. Errors: `BadQuery`."""
    texts = {name: one(given, name) for name in ("from", "to")}
    first, last = (parse_day(text, name) if text else None for name, text in texts.items())
    if first is not None and last is not None and last < first:
        raise BadQuery(f"from ({first}) is after to ({last}).", field="from")
    return first, last


def _shown(given: Parameters, experiment: Experiment) -> frozenset[str] | None:
    """The names of the metrics that are asked for; None for all. Errors: `BadQuery`."""
    names = {name.strip() for text in given.get("metric", ()) for name in text.split(",") if name.strip()}
    known = [metric.name for metric in experiment.metrics]
    for name in sorted(names.difference(known)):
        raise BadQuery(f"The experiment has no metric {name[:80]!r}.", field="metric", allowed=known)
    return frozenset(names) or None


def _planned(given: Parameters) -> float:
    """The effect that power is told of. Errors: `BadQuery`."""
    text = one(given, "effect")
    if not text:
        return _PLANNED
    try:
        planned = float(text)
    except ValueError:
        planned = 0.0
    if not _SMALLEST <= abs(planned) <= _LARGEST:
        raise BadQuery(f"effect can't be {text[:40]!r}.", field="effect", allowed=["0.05 for 5 %", "-0.1 for -10 %"])
    return planned


def _testers(here: Services, project: Project, experiment: Experiment) -> Sequence[int]:
    """The actors whose variant somebody chose: whatever they did is no result."""
    return [here.receiver.enricher.actor(project.id, unit) for unit in experiment.forced or ()]
