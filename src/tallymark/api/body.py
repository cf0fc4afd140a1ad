"""Bodies of requests: read as JSON, and described for OpenAPI."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema

from tallymark.errors import UnreadableBody
from tallymark.spec.json_values import is_deeper

#: Levels of lists and objects within one another; what reads a body may go through it level by level.
_DEEPEST: Final = 64


def read_json(body: bytes) -> Any:
    """What the JSON says.

    Errors: `UnreadableBody`.
    """
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableBody(f"The body is not JSON: {error}.") from error
    if is_deeper(said, _DEEPEST):
        raise UnreadableBody(f"The body is nested more than {_DEEPEST} levels deep.")
    return said


def with_body(schema: Schema) -> type[Operation]:
    """The `operation_class` of a handler that reads its body itself, so that OpenAPI has its schema."""

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            content = {"application/json": OpenAPIMediaType(schema=schema)}
            self.request_body = RequestBody(content=content, required=True)

    return Described
