"""Agreement and the comparison of versions: published examples, and plain Python with exact fractions as the oracle."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tallymark.packs.voice.agreement import (
    Agreement,
    AmongPeople,
    Pair,
    agreement,
    among_people,
    kappa,
    weighted_kappa,
)
from tallymark.packs.voice.version_comparison import Compared, compare

SCORE = st.integers(1, 5)
PAIRS = st.lists(st.tuples(SCORE, SCORE), max_size=40)
RATED = st.lists(st.tuples(SCORE, st.dictionaries(st.sampled_from("abc"), SCORE, max_size=3)), max_size=25)

#: Their functions are slow for what they do.
FEW = settings(max_examples=50)

NOTHING = Agreement(0, 0, None, None, None, None, None, None, None, None)


def cells(table: Sequence[Sequence[int]]) -> list[Pair]:
    """The pairs of a table; its first row and column are the score 1."""
    return [
        (one + 1, other + 1) for one, row in enumerate(table) for other, count in enumerate(row) for _ in range(count)
    ]


def test_kappa_of_cohens_example() -> None:
    """Cohen 1960, table 1: 200 cases of which 0.70 agree, and 0.41 would by chance; he gives 0.492."""
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    assert kappa(cells(table)) == pytest.approx(0.4915, abs=5e-5)


def test_kappa_of_grant_proposals() -> None:
    """The example that textbooks and encyclopaedias give: two readers, 50 proposals, kappa 0.40."""
    assert kappa(cells([[20, 5], [10, 15]])) == pytest.approx(0.4)


def test_weighted_kappa_of_two_categories_is_kappa() -> None:
    pairs = cells([[20, 5], [10, 15]])
    assert weighted_kappa(pairs) == pytest.approx(0.4)


def test_the_same_agreement_is_worth_less_where_scores_are_uneven() -> None:
    """Feinstein and Cicchetti 1990: 85 of 100 agree in both tables, kappas are 0.70 and 0.32."""
    assert kappa(cells([[40, 9], [6, 45]])) == pytest.approx(0.70, abs=5e-3)
    assert kappa(cells([[80, 10], [5, 5]])) == pytest.approx(0.32, abs=5e-3)


def oracle_kappa(pairs: Sequence[Pair], weight: int) -> Fraction | None:
    """Every first score against every second one is what chance gives; `weight` is the power of the distance."""
    if len(pairs) < 2:
        return None
    firsts, seconds = zip(*pairs, strict=True)

    def apart(couples: Iterable[Pair]) -> int:
        return sum(abs(one - other) ** weight if one != other else 0 for one, other in couples)

    chance = Fraction(apart(product(firsts, seconds)), len(pairs) ** 2)
    return None if chance == 0 else 1 - Fraction(apart(pairs), len(pairs)) / chance


@given(PAIRS)
def test_kappas_are_those_of_the_oracle(pairs: list[Pair]) -> None:
    for found, expected in ((kappa(pairs), oracle_kappa(pairs, 0)), (weighted_kappa(pairs), oracle_kappa(pairs, 2))):
        assert (found is None) == (expected is None)
        assert found == (None if expected is None else pytest.approx(float(expected), abs=1e-12))


@FEW
@given(PAIRS)
def test_kappa_does_not_care_who_is_first_nor_which_way_scores_run(pairs: list[Pair]) -> None:
    turned = [[(other, one) for one, other in pairs], [(6 - one, 6 - other) for one, other in pairs]]
    for those in turned:
        for statistic in (kappa, weighted_kappa):
            here, there = statistic(pairs), statistic(those)
            assert (here is None) == (there is None)
            assert here is None or here == pytest.approx(there, abs=1e-12)


@given(st.lists(SCORE, min_size=2, max_size=30))
def test_who_always_agrees_has_a_kappa_of_one_unless_nothing_varies(scores: list[int]) -> None:
    pairs = [(score, score) for score in scores]
    expected = 1 if len(set(scores)) > 1 else None
    assert (kappa(pairs), weighted_kappa(pairs)) == (expected, expected)


@FEW
@given(st.lists(st.tuples(SCORE, SCORE), min_size=2, max_size=20))
def test_weighted_kappa_is_the_correlation_where_both_give_each_score_as_often(pairs: list[Pair]) -> None:
    """Cohen 1968."""
    even = [*pairs, *((other, one) for one, other in pairs)]
    ones, others = zip(*even, strict=True)
    assert weighted_kappa(even) == pytest.approx(oracle_correlation([*map(Fraction, ones)], [*map(Fraction, others)]))


def oracle_correlation(ones: Sequence[Fraction], others: Sequence[Fraction]) -> float | None:
    """Pearson's by its definition, exact up to the root."""
    if len(ones) < 2:
        return None
    mean_one, mean_other = sum(ones) / len(ones), sum(others) / len(others)
    products = sum((x - mean_one) * (y - mean_other) for x, y in zip(ones, others, strict=True))
    squares = sum((x - mean_one) ** 2 for x in ones) * sum((y - mean_other) ** 2 for y in others)
    return None if squares == 0 else float(products) / math.sqrt(squares)


def ranks(values: Sequence[Fraction]) -> list[Fraction]:
    """Ranks, those of equal values in the middle of them."""
    return [Fraction(sum(v < x for v in values) + sum(v <= x for v in values) + 1, 2) for x in values]


@FEW
@given(RATED)
def test_agreement_is_that_of_the_oracle(rated: list[tuple[int, dict[str, int]]]) -> None:
    both = [(judge, people) for judge, people in rated if people]
    pairs = [(judge, score) for judge, people in both for score in people.values()]
    judges = [Fraction(judge) for judge, _ in both]
    means = [Fraction(sum(people.values()), len(people)) for _, people in both]
    found = agreement(rated)
    assert (found.n, found.exchanges) == (len(pairs), len(both))
    assert (found.kappa, found.weighted_kappa) == (kappa(pairs), weighted_kappa(pairs))
    exact = [found.exact, found.judge_mean, found.people_mean, found.bias]
    expected: list[float | None] = [None] * 4
    if both:
        agreed = Fraction(sum(one == other for one, other in pairs), len(pairs))
        bias = sum(judges) / len(both) - sum(means) / len(both)
        expected = [float(x) for x in (agreed, sum(judges) / len(both), sum(means) / len(both), bias)]
    assert exact == pytest.approx(expected, abs=1e-12)
    assert found.pearson == pytest.approx(oracle_correlation(judges, means), abs=1e-9)
    assert found.spearman == pytest.approx(oracle_correlation(ranks(judges), ranks(means)), abs=1e-9)


def test_spearman_and_pearson_of_exchanges_with_several_reviewers() -> None:
    """By hand: means of people are 1, 2, 4.5; the judge says 2, 3, 5."""
    found = agreement([(2, {"ann": 1}), (3, {"ann": 1, "ben": 3}), (5, {"ann": 4, "ben": 5})])
    kappas = [(0.4 - 4 / 25) / (1 - 4 / 25), 1 - (6 / 5) / (116 / 25)]
    correlations = [1, 5.5 / math.sqrt(42 / 9 * 6.5)]
    assert astuple(found) == pytest.approx((5, 3, 0.4, *kappas, *correlations, 10 / 3, 2.5, 10 / 3 - 2.5))


@pytest.mark.parametrize(
    ("rated", "expected"),
    [
        ([], NOTHING),
        ([(3, {})], NOTHING),
        ([(3, {"ann": 4})], Agreement(1, 1, 0.0, None, None, None, None, 3.0, 4.0, -1.0)),
        ([(5, {"ann": 5})] * 9, Agreement(9, 9, 1.0, None, None, None, None, 5.0, 5.0, 0.0)),
        # The judge gives everybody a 5: agreement is what chance gives, and a correlation there is none.
        ([(5, {"ann": 5}), (5, {"ann": 1})], Agreement(2, 2, 0.5, 0.0, 0.0, None, None, 5.0, 3.0, 2.0)),
    ],
)
def test_what_says_too_little_is_none(rated: list[tuple[int, dict[str, int]]], expected: Agreement) -> None:
    assert agreement(rated) == expected


@FEW
@given(st.lists(st.dictionaries(st.sampled_from("abc"), SCORE, max_size=3), max_size=25))
def test_agreement_among_people_is_the_mean_over_pairs_of_reviewers(reviews: list[dict[str, int]]) -> None:
    shared = {
        both: [(people[both[0]], people[both[1]]) for people in reviews if people.keys() >= set(both)]
        for both in combinations("abc", 2)
    }
    pairs = [pair for theirs in shared.values() for pair in theirs]
    found = among_people(reviews)
    assert found.n == len(pairs)
    assert found.reviewers == len({one for both, theirs in shared.items() if theirs for one in both})
    assert found.exact == (pytest.approx(sum(a == b for a, b in pairs) / len(pairs)) if pairs else None)
    for value, weight in ((found.kappa, 0), (found.weighted_kappa, 2)):
        known = [k for theirs in shared.values() if (k := oracle_kappa(theirs, weight)) is not None]
        assert value == (pytest.approx(float(sum(known) / len(known)), abs=1e-12) if known else None)


def test_nobody_shares_an_exchange() -> None:
    assert among_people([{"ann": 1}, {"ben": 2}, {}]) == AmongPeople(0, 0, None, None, None)


@FEW
@given(PAIRS)
def test_versions_are_compared_as_a_paired_t_test_does(pairs: list[Pair]) -> None:
    found = compare(Counter(pairs))
    if not pairs:
        assert found == Compared(0, *[None] * 8)
        return
    old, new = zip(*pairs, strict=True)
    n, differences = len(pairs), [two - one for one, two in pairs]
    assert [found.n, found.before, found.after] == pytest.approx([n, sum(old) / n, sum(new) / n])
    assert found.difference == pytest.approx(float(Fraction(sum(differences), n)), abs=1e-12)
    shares = [sum(d > 0 for d in differences) / n, sum(d < 0 for d in differences) / n, differences.count(0) / n]
    assert [found.better, found.worse, found.equal] == pytest.approx(shares)
    if len(set(differences)) == 1:
        assert (found.low, found.high) == (None, None)
    else:
        interval = stats.ttest_rel(new, old).confidence_interval(0.95)
        assert [found.low, found.high] == pytest.approx([interval.low, interval.high])


def test_the_interval_of_a_textbooks_example() -> None:
    """Ten patients' extra sleep under two drugs (Student 1908), in tenths of hours: 1.58, from 0.70 to 2.46."""
    first = [7, -16, -2, -12, -1, 34, 37, 8, 0, 20]
    second = [19, 8, 11, 1, -1, 44, 55, 16, 46, 34]
    found = compare(Counter(zip(first, second, strict=True)))
    assert [found.difference, found.low, found.high] == pytest.approx([15.8, 7.001142, 24.598858])
