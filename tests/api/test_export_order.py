"""Filters of orders, told back as texts that mean the same."""

from hypothesis import given
from hypothesis import strategies as st

from tallymark.api.filter_list import filter_texts
from tallymark.api.question import filter_of
from tallymark.spec.condition import Op
from tallymark.spec.query import Clause, Filter

VALUES = st.text(st.sampled_from("a:|;\\ü \n\t'\"") | st.characters(codec="utf-8"), max_size=8)
CLAUSES = st.builds(
    Clause, st.sampled_from(["country", "path"]), st.sampled_from([Op.IS, Op.IS_NOT]),
    st.lists(VALUES, min_size=1, max_size=3).map(tuple),
)  # fmt: skip
FILTERS = st.lists(st.lists(CLAUSES, min_size=1, max_size=3).map(tuple), max_size=3).map(lambda g: Filter(tuple(g)))


@given(FILTERS)
def test_a_filter_is_told_as_texts_that_mean_it(filter: Filter) -> None:
    assert filter_of(filter_texts(filter)) == filter


def test_texts_as_people_write_them() -> None:
    texts = ["country:is:DE|FR", r"path:is:/a\|b;path:matches:^/\\d+$"]
    assert filter_texts(filter_of(texts)) == texts
    assert filter_of(texts).groups[1][1].values == (r"^/\d+$",)
