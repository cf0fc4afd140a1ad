"""Hashes and ranges, compared with GrowthBook's own package, which the program itself does not have."""

import growthbook.core as growthbook
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallymark.experiment.bucketing import bucket_ranges, choose, fnv1a32, in_namespace, part_of
from tallymark.spec.experiment import Namespace

#: Any text there may be, halves of surrogate pairs included.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=60)
WEIGHTS = st.lists(st.integers(0, 1_000) | st.floats(0, 1e6), min_size=2, max_size=20).filter(lambda w: sum(w) > 1e-6)
SHARES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("text", "hashed"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("b", 0xE70C2DE5), ("foobar", 0xBF9CF968)]
)
def test_published_hashes(text: str, hashed: int) -> None:
    """From the table of the authors of FNV."""
    assert fnv1a32(text) == hashed


@given(TEXTS, TEXTS)
@example("checkout", "müller")
@example("checkout", "😀")
@example("ü", "0f3f3c5e-9b0d-4a83-a5a6-7a9d3a0f8f21")
@example("\ud83d", "\ude00")
def test_hashes_as_growthbook_has_them(seed: str, unit_id: str) -> None:
    assert fnv1a32(unit_id) == growthbook.fnv1a32(unit_id)
    assert part_of(seed, unit_id) == growthbook.gbhash(seed, unit_id, 2)


@given(st.text("ab", max_size=4), st.lists(SHARES, min_size=2, max_size=2, unique=True), TEXTS)
def test_namespaces_as_growthbook_has_them(name: str, ends: list[float], unit_id: str) -> None:
    start, end = sorted(ends)
    assert in_namespace(Namespace(name, start, end), unit_id) == growthbook.inNamespace(unit_id, (name, start, end))


@given(WEIGHTS, SHARES, st.integers(0, 9_999))
def test_ranges_as_growthbook_has_them(weights: list[float], coverage: float, part: int) -> None:
    shares = [weight / sum(weights) for weight in weights]
    ranges = bucket_ranges(tuple(weights), coverage)
    told = growthbook.getBucketRanges(len(weights), coverage, shares)
    assert list(ranges) == told
    index = choose(part / 10_000, ranges)
    assert (-1 if index is None else index) == growthbook.chooseVariation(part / 10_000, told)


@given(WEIGHTS)
def test_all_of_the_units_are_covered(weights: list[float]) -> None:
    chosen = choose(0.9999, bucket_ranges(tuple(weights), 1.0))
    assert chosen is not None
    assert weights[chosen] > 0
