"""A text is read in every way it may be, and what is found is led back to what was sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.pii_readings import plain, readings, unescaped, ways

texts = st.text(
    alphabet=st.characters(exclude_categories=["Cs"])
    | st.sampled_from("%25%40Ä\uff21\uff10\uff20\u0660\u200b\u00a0\u2013a4")
)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a%40b", "a@b"), ("a%2540b", "a@b"), ("a%252540b", "a%40b"), ("%C3%BC%e4", "ü\ufffd"), ("100%", "100%"),
        ("%zz", "%zz"),
        ("\uff41\uff20\uff42", "a@b"), ("%EF%BC%A0", "@"), ("\uff11\uff12", "12"), ("\u0664\u0669", "49"),
        ("\U0001d7d2\U0001d7d7", "49"), ("a\u200bb\u00ad", "ab"), ("1\u00a02\u20133", "1 2-3"),
        ("日本語\uff0c", "日本語\uff0c"), ("plain", "plain"),
    ],
)  # fmt: skip
def test_what_a_text_reads_as_in_the_end(sent: str, read: str) -> None:
    assert ways(sent)[-1] == readings(sent)[0].text == read
    assert ways(sent)[0] == readings(sent)[-1].text == sent


@given(texts)
def test_the_two_ways_of_reading_agree(text: str) -> None:
    """Where both decode the same bytes; of what is no UTF-8 they tell more or fewer replacement characters."""
    with_places = [reading.text for reading in readings(text)][::-1]
    assert [way.replace("\ufffd", "") for way in ways(text)] == [way.replace("\ufffd", "") for way in with_places]


@given(texts)
def test_a_part_of_a_reading_has_its_place_in_what_was_sent(text: str) -> None:
    for reading in readings(text):
        for start in range(len(reading.text)):
            first, last = reading.sent(start, start + 1)
            assert 0 <= first < last <= len(text)
        if reading.text:
            first, last = reading.sent(0, len(reading.text))
            assert plain(text[last:]) == ""


@given(texts)
def test_json_is_unescaped_as_it_is_read(text: str) -> None:
    for ascii_only in (True, False):
        assert unescaped(json.dumps(text, ensure_ascii=ascii_only)) == f'"{text}"'
