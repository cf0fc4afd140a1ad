"""The voice pack's declarations: the oracle knows each of them, and other packs pay nothing for them."""

from tallymark.packs.voice import PACK
from tallymark.packs.voice.stats_pages import PAGES
from tallymark.spec.catalog import Catalog
from tests.packs.voice import oracle


def test_the_oracle_knows_every_metric_and_dimension() -> None:
    assert set(oracle.METRICS) == {metric.name for metric in PACK.metrics}
    assert set(oracle.DIMENSIONS) == {dimension.name for dimension in PACK.dimensions}


def test_every_metric_is_on_a_page_or_behind_calibration() -> None:
    shown = {name for page in PAGES for names in (page.metrics, *page.breakdowns.values()) for name in names}
    assert set(oracle.METRICS) - shown == {"voice_results", "voice_calibrated_confidence"}


def test_projects_without_the_pack_roll_nothing_of_it_up(catalog: Catalog) -> None:
    others = catalog.only(["web", "sdk", "ab"])
    assert not {name for name in others.metrics if name.startswith("voice_")}
    assert not set(oracle.DIMENSIONS) & set(others.dimensions)
