"""Courses in one line of a terminal."""

import pytest

from tallymark.cli.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ""), ([None, None], ""), ([0, 7], "▁█"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), ([5, None, 5], "█ █"),
        ([0, 0], "▁▁"), ([-7, 0, 7], "▁▅█"), ([1e12, 0.5e12], "█▅"),
    ],
)  # fmt: skip
def test_bars_stand_for_values(values: list[float | None], shown: str) -> None:
    assert sparkline(values) == shown


def test_a_long_course_is_told_by_means() -> None:
    assert len(sparkline(list(range(365)))) == 53
    assert sparkline([0.0] * 60 + [10.0] * 60) == "▁" * 30 + "█" * 30
