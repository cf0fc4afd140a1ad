"""A pack: a product's declarations. From them come rollups, answers, the catalogue, the dashboard and docs."""

from dataclasses import dataclass

from tallymark.spec.metric import Dimension, Metric


@dataclass(frozen=True)
class Pack:
    """What a pack declares: its metrics, and the dimensions they can be broken down by."""

    name: str
    title: str
    help: str
    metrics: tuple[Metric, ...]
    dimensions: tuple[Dimension, ...]
