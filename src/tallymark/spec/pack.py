"""A pack: a product's declarations. From them come rollups, answers, the catalogue, the dashboard and docs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallymark.spec.board import Board
from tallymark.spec.funnel import Funnel
from tallymark.spec.metric import Dimension, Metric
from tallymark.spec.table import Table


@dataclass(frozen=True)
class Pack:
    """What a pack declares: its metrics, and the dimensions they can be broken down by.

    `funnels` are those that every project with the pack has. `defaults`: public fields of a project that a new one
    with this pack has where nothing else is said. `tables` are what it exports as rows. `board` is what people
    see of it first.
    """

    name: str
    title: str
    help: str
    metrics: tuple[Metric, ...]
    dimensions: tuple[Dimension, ...]
    funnels: tuple[Funnel, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict, hash=False)
    tables: tuple[Table, ...] = ()
    board: Board = field(default_factory=Board)
