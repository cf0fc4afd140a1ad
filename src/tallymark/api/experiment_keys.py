"""Keys of experiments and variants that look like personal data: their exposures would be redacted or refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from tallymark.errors import BadRequest
from tallymark.ingest import pii
from tallymark.spec.experiment import EXPERIMENT, VARIANT


def check_keys(said: Mapping[str, Any]) -> None:
    """Raises `BadRequest` for a definition, or a change of one, with such a key."""
    for field, name, key in _keys(said):
        found = pii.first({name: key})
        if found is not None:
            message = f"{field} looks like personal data ({found.kind}), so exposures to it would not count."
            raise BadRequest(message, field=field)


def _keys(said: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Where each key stands, the property that exposures have it in, and the key."""
    if "key" in said:
        yield "key", EXPERIMENT, said["key"]
    variants = said.get("variants")
    for index, variant in enumerate(variants if isinstance(variants, list) else ()):
        if isinstance(variant, Mapping):
            yield f"variants.{index}.key", VARIANT, variant.get("key")
