"""Filters as bodies have them, a list called `filters`; questions have a parameter `filter`, given for each."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tallymark.api.question import filter_of
from tallymark.errors import BadQuery
from tallymark.spec.query import Clause, Filter


def listed_filter(texts: Sequence[str]) -> Filter:
    """The filter that a list means. Errors: `BadQuery`."""
    with fields_named():
        if "" in texts:
            raise BadQuery("A filter is dimension:operator:value, such as country:is:DE|FR, not ''.", field="filter")
        return filter_of(texts)


def filter_texts(filter: Filter) -> list[str]:
    """The texts that mean a filter."""
    return [";".join(map(_clause_text, group)) for group in filter.groups]


@contextmanager
def fields_named() -> Iterator[None]:
    """Names the field of an error as bodies do."""
    try:
        yield
    except BadQuery as error:
        error.field = "filters" if error.field == "filter" else error.field
        raise


def _clause_text(clause: Clause) -> str:
    values = (re.sub(r"([\\|;])", r"\\\1", value) for value in clause.values)
    return f"{clause.dimension}:{clause.op}:{'|'.join(values)}"
