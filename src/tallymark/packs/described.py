"""Words for what OpenAPI says of routes that don't describe themselves."""

from typing import Any


def parameter(name: str, text: str) -> dict[str, Any]:
    """A text in the query."""
    return {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}


def failure(text: str) -> dict[str, Any]:
    """An error."""
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}
