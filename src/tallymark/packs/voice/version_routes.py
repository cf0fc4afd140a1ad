"""`GET /v1/evaluators/{key}/compare`: two versions of an evaluator, on the exchanges that both judged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.pack_project import project_with
from tallymark.api.question import Parameters, check_names, given_in, one, window_of
from tallymark.api.services import services
from tallymark.control.evaluators import Version
from tallymark.errors import BadQuery, Conflict, NotFound
from tallymark.packs.voice.evaluator_names import version_of
from tallymark.packs.voice.judged import Judged
from tallymark.packs.voice.reviewing import told_fields
from tallymark.spec.evaluation import SCORES
from tallymark.spec.evaluator_draft import changed_fields

_PARAMETERS: Final = ("project", "versions", "from", "to")

Text = str | None


@get(
    "/evaluators/{key:str}/compare",
    sync_to_thread=True,
    tags=["evaluators"],
    summary="Compare two versions of an evaluator",
    description="By score, on the exchanges of a window that both versions judged: means, the mean difference with its "
    "95 % interval (paired t-test), and the shares that became better, worse, or stayed. `changed` names the fields in "
    "which the versions differ.",
    responses=documented(400, 401, 403, 404, 409, 503),
)
def compare_versions(
    request: Call,
    key: Annotated[str, PathParameter(description="Key of an evaluator.")],
    versions: Annotated[
        Text, QueryParameter(description="EARLIER..LATER, as 1..2; default: the two newest versions.")
    ] = None,
    first: Annotated[Text, QueryParameter(name="from", description="First day; default: of 30 days.")] = None,
    to: Annotated[Text, QueryParameter(description="Last day; default today.")] = None,
    project: Annotated[Text, QueryParameter(description="Name or id; default: the key's own.")] = None,
) -> dict[str, Any]:
    """The comparison."""
    # It brings in scipy, which takes seconds: no server's start should wait for that.
    from tallymark.packs.voice.version_comparison import compare  # noqa: PLC0415

    owner, given = project_with("voice", "Evaluators", request, project, "read"), given_in(request)
    check_names(given, _PARAMETERS)
    here = services(request.app.state)
    before, after = _chosen(given, key, here.evaluators.versions(owner.id, key))
    window = window_of(given, owner.timezone, datetime.fromtimestamp(here.now(), UTC))
    tables = Judged(here.engine, owner).tables(f"{key}@{before.version}", f"{key}@{after.version}", window)
    return {
        "evaluator": key,
        "window": {"from": window.first.isoformat(), "to": window.last.isoformat(), "timezone": window.timezone},
        "before": before.version,
        "after": after.version,
        "changed": list(changed_fields(before.draft, after.draft)),
        "scores": {score: told_fields(compare(tables[score])) for score in SCORES},
    }


def _chosen(given: Parameters, key: str, versions: Sequence[Version]) -> tuple[Version, Version]:
    """The two versions that are asked for. Errors: `BadQuery`, `NotFound`; `Conflict` where there is only one."""
    text = one(given, "versions")
    if not text:
        if len(versions) == 1:
            raise Conflict(f"{key} has one version; it is compared once it has two.", field="versions")
        return versions[1], versions[0]
    before, _, after = text.partition("..")
    old, new = version_of(before), version_of(after)
    if old is None or new is None or old == new:
        raise BadQuery(f"versions can't be {text[:40]!r}.", field="versions", allowed=["EARLIER..LATER, as 1..2"])
    known = {version.version: version for version in versions}
    unknown = next((number for number in (old, new) if number not in known), None)
    if unknown is not None:
        raise NotFound(f"{key} has no version {unknown}.", field="versions", allowed=[*map(str, known)])
    return known[old], known[new]


HANDLERS: Final = (compare_versions,)
