"""Segments in questions: wherever filters are, a segment's key stands for the filters that it has now.

They become filters before a question is read, so that its numbers, its mistakes and its place in the cache are those
of the same filters written out.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from litestar.params import QueryParameter

from tallymark.api.auth import Call
from tallymark.api.question import Parameters, given_in
from tallymark.api.services import services
from tallymark.control.segments import Segments
from tallymark.errors import BadQuery
from tallymark.spec.project import Project

_SEGMENT: Final = "segment"

SegmentKeys = Annotated[
    list[str] | None, QueryParameter(name=_SEGMENT, description="Key of a segment: its filters must hold besides.")
]


def asked_in(request: Call, project: Project) -> Parameters:
    """The query parameters of a request about a project; of segments, their filters. Reads the control store.

    Errors: `BadQuery` for a segment that there is not.
    """
    given = given_in(request)
    if _SEGMENT not in given:
        return given
    more = filters_of(given[_SEGMENT], services(request.app.state).segments, project, _SEGMENT)
    others = {name: values for name, values in given.items() if name != _SEGMENT}
    return {**others, "filter": (*given.get("filter", ()), *more)}


def filters_of(keys: Sequence[str], segments: Segments, project: Project, field: str) -> list[str]:
    """The filters of a project's segments with these keys, without empty ones. Errors: `BadQuery` in that field."""
    wanted = [key for key in dict.fromkeys(keys) if key]
    known = {segment.key: segment.filters for segment in segments.of_project(project.id)} if wanted else {}
    for key in wanted:
        if key not in known:
            raise BadQuery(f"There is no segment {key[:80]!r}.", field=field, allowed=sorted(known))
    return [text for key in wanted for text in known[key]]
