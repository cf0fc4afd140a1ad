"""The catalogue: names are unique, formulas fit, and its digest says what rollups hold."""

from dataclasses import replace

import pytest

from tallymark.errors import BadQuery
from tallymark.packs import BUILTIN
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Column, Prop, event
from tallymark.spec.measure import FIRSTS, Measure, Rows, actors, count, moments, quantiles, total
from tallymark.spec.metric import MOST_KEYS, Dimension, Formula, Mean, Metric, Newcomers, Plain, Quantile, Ratio, shared
from tallymark.spec.pack import Pack

CATALOG = Catalog.of(BUILTIN)


def _pack(*metrics: Metric, name: str = "p", dimensions: tuple[Dimension, ...] = ()) -> Pack:
    return Pack(name, name, "", metrics, dimensions)


def _metric(name: str, formula: Formula) -> Metric:
    return Metric(name, name, "", formula)


ONE = _metric("one", Plain(count()))


def test_a_name_can_be_declared_once_over_all_packs() -> None:
    with pytest.raises(ValueError, match="declared twice: one"):
        Catalog.of([_pack(ONE), _pack(ONE, name="q")])
    with pytest.raises(ValueError, match="declared twice: one"):
        Catalog.of([_pack(ONE, ONE)])


def test_a_dimension_means_one_thing() -> None:
    os = shared("os", "", "")
    Catalog.of([_pack(ONE, dimensions=(os,)), _pack(name="q", dimensions=(os,))])
    with pytest.raises(ValueError, match="os means two things"):
        Catalog.of([_pack(ONE, dimensions=(os,)), _pack(name="q", dimensions=(replace(os, sessions=None),))])


@pytest.mark.parametrize(
    "formula",
    [
        Plain(moments(Column("value"))), Plain(quantiles(Column("value"))), Mean(count()), Quantile(0.5, count()),
        Ratio(count(), quantiles(Column("value"))), Newcomers(count()),
    ],
)  # fmt: skip
def test_a_formula_presents_only_what_it_can(formula: Formula) -> None:
    with pytest.raises(ValueError, match=r"bad: .* can't present"):
        Catalog.of([_pack(_metric("bad", formula))])


def test_equal_measures_of_several_metrics_are_kept_once() -> None:
    catalog = Catalog.of([_pack(ONE, _metric("two", Plain(count())), _metric("share", Ratio(count(), actors())))])
    assert {measure.key for measure in catalog.measures} == {"count()", "actors()", FIRSTS.key}


@pytest.mark.parametrize(
    ("measure", "key"),
    [
        (count(event("page_view")), "count(event is 'page_view')"),
        (total(Column("value")), "sum(value)"),
        (quantiles(Prop("ttfbMs"), event("a")), "quantiles(props.ttfbMs; event is 'a')"),
        (count(rows=Rows.SESSIONS), "sessions:count()"),
    ],
)
def test_a_measures_key_says_what_it_is(measure: Measure, key: str) -> None:
    assert measure.key == key


def test_a_project_has_the_core_and_its_packs() -> None:
    assert [pack.name for pack in CATALOG.only([]).packs] == ["core"]
    assert [pack.name for pack in CATALOG.only(["web", "other"]).packs] == ["core", "web"]


def test_the_digest_is_that_of_what_rollups_hold() -> None:
    same = Catalog.of([_pack(replace(ONE, label="New", help="words"))])
    assert Catalog.of([_pack(ONE)]).digest == same.digest
    assert Catalog.of([_pack(_metric("one", Plain(count(event("a")))))]).digest != same.digest
    assert Catalog.of([_pack(ONE, dimensions=(shared("os", "", ""),))]).digest != same.digest
    os = shared("os", "", "")
    of_os, of_many = (
        Catalog.of([_pack(ONE, dimensions=(d,))]).digest for d in (os, replace(os, most_keys=MOST_KEYS + 1))
    )
    assert of_os == Catalog.of([_pack(ONE, dimensions=(replace(os, label="System", most_keys=MOST_KEYS),))]).digest
    assert of_os != of_many
    assert len({CATALOG.only(packs).digest for packs in ([], ["web"], ["sdk"], ["sdk", "web"])}) == 4
    assert CATALOG.only(["web", "sdk", "ab", "voice", "quiz"]).digest == CATALOG.digest


def test_quantiles_and_first_days_are_rolled_up_for_totals_only() -> None:
    assert not count().totals_only
    assert not actors().totals_only
    assert quantiles(Column("value")).totals_only
    assert FIRSTS.totals_only


def test_a_wrong_name_is_told_with_the_right_ones() -> None:
    with pytest.raises(BadQuery) as error:
        CATALOG.metric("page_veiws")
    assert error.value.field == "metrics"
    assert error.value.allowed == sorted(CATALOG.metrics)
    with pytest.raises(BadQuery, match="'page_views' has no dimension 'entry_path'") as error:
        CATALOG.dimension("entry_path", CATALOG.metric("page_views"))
    assert "path" in (error.value.allowed or ())
    assert CATALOG.dimension("entry_path", CATALOG.metric("sessions")).name == "entry_path"
