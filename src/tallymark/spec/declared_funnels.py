"""The funnels that a project has by name: those of its packs, and its own, which win."""

from collections.abc import Sequence

from tallymark.errors import BadQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.funnel import Funnel


def declared(catalog: Catalog, own: Sequence[Funnel]) -> dict[str, Funnel]:
    """The funnels of a project by name; `catalog` is that of its packs, `own` are those that it declares itself."""
    of_packs = {funnel.name: funnel for pack in catalog.packs for funnel in pack.funnels}
    return {**of_packs, **{funnel.name: funnel for funnel in own}}


def named(name: str, funnels: dict[str, Funnel]) -> Funnel:
    """The funnel of that name. Errors: `BadQuery`."""
    if name not in funnels:
        raise BadQuery(f"There is no funnel {name[:80]!r}.", field="name", allowed=sorted(funnels))
    return funnels[name]
