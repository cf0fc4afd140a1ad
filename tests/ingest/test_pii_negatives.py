"""What only looks like personal data is left alone: thousands of times, ids, hashes, versions, prices, …"""

from collections import Counter

from benchmarks import impersonal_data
from tallymark.ingest.pii import find, redacted

SAMPLES = list(impersonal_data.samples(250, seed=11))


def test_nothing_is_found_in_what_is_no_personal_data() -> None:
    assert len(SAMPLES) >= 4_000
    found = [(sample.family, sample.properties, find(sample.properties)) for sample in SAMPLES]
    assert [alarm for alarm in found if alarm[2]] == []
    assert all(redacted(sample.properties) == sample.properties for sample in SAMPLES)


def test_there_are_many_of_each_kind_and_no_two_tell_the_same() -> None:
    families = Counter(sample.family for sample in SAMPLES)
    assert len(families) >= 19
    assert set(families.values()) == {250}
    assert len({sample.body for sample in SAMPLES}) > 3_500
