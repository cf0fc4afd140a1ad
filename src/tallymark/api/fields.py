"""Small JSON bodies of texts: which fields they have, and how long each may be."""

from collections.abc import Mapping
from typing import Any

from tallymark.api.body import read_json
from tallymark.errors import BadRequest


def read_fields(body: bytes, what: str, longest: Mapping[str, int], others: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """The fields of a JSON object: those of `longest` are texts of 1 to so many characters, `others` are anything.

    Errors: `UnreadableBody`, `BadRequest`; `what` is what they call it.
    """
    said, allowed = read_json(body), (*longest, *others)
    if not isinstance(said, Mapping):
        raise BadRequest(f"{what} is a JSON object.", allowed=allowed)
    for field, value in said.items():
        if field not in allowed:
            raise BadRequest(f"{what} has no field {field[:40]!r}.", field=field[:40], allowed=allowed)
        most = longest.get(field)
        if most is not None and not (isinstance(value, str) and 0 < len(value) <= most):
            raise BadRequest(f"{field} is text of 1 to {most} characters.", field=field)
    return said
