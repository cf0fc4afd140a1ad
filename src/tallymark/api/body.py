"""Bodies of requests: read as JSON, and described for OpenAPI."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema

from tallymark.errors import UnreadableBody


def read_json(body: bytes) -> Any:
    """What the JSON says.

    Errors: `UnreadableBody`.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableBody(f"The body is not JSON: {error}.") from error


def with_body(schema: Schema) -> type[Operation]:
    """The `operation_class` of a handler that reads its body itself, so that OpenAPI has its schema."""

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            content = {"application/json": OpenAPIMediaType(schema=schema)}
            self.request_body = RequestBody(content=content, required=True)

    return Described
