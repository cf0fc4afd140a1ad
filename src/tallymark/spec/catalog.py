"""The catalogue: all metrics and dimensions of a set of packs, checked for clashes, with a hash of its meaning."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tallymark.errors import BadQuery
from tallymark.spec.measure import FIRSTS, Measure, Rows
from tallymark.spec.metric import MOST_KEYS, Dimension, Metric, check_kinds
from tallymark.spec.pack import Pack
from tallymark.spec.table import Table

#: Raised when the way rollups are computed changes, so that every day is computed again.
ROLLUP_VERSION = 3


@dataclass(frozen=True)
class Catalog:
    """The metrics of some packs. Names are unique over all of them."""

    packs: tuple[Pack, ...]

    @classmethod
    def of(cls, packs: Iterable[Pack]) -> "Catalog":
        """A catalogue, after checking that names are unique and formulas fit; ValueError where not."""
        catalog = cls(tuple(packs))
        names = [metric.name for metric in catalog.metrics.values()]
        declared = [metric.name for pack in catalog.packs for metric in pack.metrics]
        doubled = {name for name in declared if declared.count(name) > 1}
        if doubled or len(names) != len(declared):
            raise ValueError(f"Metrics declared twice: {', '.join(sorted(doubled))}.")
        for pack in catalog.packs:
            for dimension in pack.dimensions:
                if catalog.dimensions[dimension.name] != dimension:
                    raise ValueError(f"Dimension {dimension.name} means two things.")
        check_kinds(list(catalog.metrics.values()))
        for pack in catalog.packs:
            catalog._check_board(pack)
        return catalog

    def _check_board(self, pack: Pack) -> None:
        """ValueError where its board shows what the pack and the core don't have."""
        known = self.only([pack.name])
        try:
            for name in pack.board.tiles:
                known.metric(name)
            for view in pack.board.views:
                for name in view.metrics:
                    known.dimension(view.by, known.metric(name))
        except BadQuery as error:
            raise ValueError(f"The board of {pack.name} can't be shown: {error.message}") from error

    def only(self, names: Sequence[str]) -> "Catalog":
        """The catalogue of the core and of the packs with these names: what a project has."""
        return Catalog(tuple(pack for pack in self.packs if pack.name == "core" or pack.name in names))

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """All metrics by name, in the packs' order."""
        return {metric.name: metric for pack in self.packs for metric in pack.metrics}

    @cached_property
    def dimensions(self) -> dict[str, Dimension]:
        """All dimensions by name."""
        return {dimension.name: dimension for pack in self.packs for dimension in pack.dimensions}

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure once, in order of their keys."""
        unique = {measure.key: measure for metric in self.metrics.values() for measure in metric.measures}
        unique.setdefault(FIRSTS.key, FIRSTS)
        return tuple(unique[key] for key in sorted(unique))

    def measures_on(self, rows: Rows) -> tuple[Measure, ...]:
        """The measures that look at these rows."""
        return tuple(measure for measure in self.measures if measure.rows is rows)

    def dimensions_on(self, rows: Rows) -> tuple[Dimension, ...]:
        """The dimensions that have a meaning on these rows."""
        return tuple(d for d in self.dimensions.values() if d.on(rows) is not None)

    def rolled_up_on(self, rows: Rows) -> tuple[Dimension, ...]:
        """The dimensions that rollups break these rows down by."""
        return tuple(d for d in self.dimensions.values() if d.rolled_up(rows))

    def metric(self, name: str) -> Metric:
        """A metric by name; `BadQuery` names the ones there are."""
        if name not in self.metrics:
            raise BadQuery(f"There is no metric {name!r}.", field="metrics", allowed=sorted(self.metrics))
        return self.metrics[name]

    def dimension(self, name: str, metric: Metric | None = None, field: str = "by") -> Dimension:
        """A dimension by name, one that this metric has; `BadQuery` names the ones there are."""
        allowed = [d.name for d in (self.dimensions_on(metric.rows) if metric else self.dimensions.values())]
        if name not in allowed:
            owner = f"The metric {metric.name!r} has" if metric else "There is"
            raise BadQuery(f"{owner} no dimension {name!r}.", field=field, allowed=sorted(allowed))
        return self.dimensions[name]

    def table(self, name: str) -> Table:
        """A table by name; `BadQuery` names the ones there are."""
        tables = {table.name: table for pack in self.packs for table in pack.tables}
        if name not in tables:
            raise BadQuery(f"There is no table {name!r}.", field="table", allowed=sorted(tables))
        return tables[name]

    @cached_property
    def digest(self) -> str:
        """A hash of what the rollups contain: it changes when a day must be computed again."""
        lines = [f"v{ROLLUP_VERSION}", *(_kept(measure) for measure in self.measures)]
        lines += [_broken_down(d) for d in sorted(self.dimensions.values(), key=lambda d: d.name)]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def _broken_down(dimension: Dimension) -> str:
    """What rollups keep of a dimension, as text."""
    most = "" if dimension.most_keys == MOST_KEYS else f" up to {dimension.most_keys}"
    exposed = f",{dimension.exposed}" if dimension.exposed else ""
    return f"{dimension.name}={dimension.events},{dimension.sessions}{exposed}{most}"


def _kept(measure: Measure) -> str:
    """What rollups keep of a measure, as text."""
    return f"{measure.key} in total" if measure.totals_only else measure.key
