"""The dashboard's colours can be told from what is behind them (WCAG 2.2: 4.5:1 for text, 3:1 for marks)."""

import re
from itertools import product
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "src/tallymark/dashboard/static/style/tokens.css"

TEXT = ("text", "muted", "accent", "good", "bad", "warn")
MARKS = ("edge", *(f"series-{n}" for n in range(1, 9)))
BEHIND = ("background", "surface", "tint", "raised")


def colours(look: str) -> dict[str, str]:
    """The tokens of a look, as hexadecimal colours."""
    (block,) = re.findall(rf'\[data-theme="{look}"\] {{(.*?)}}', TOKENS.read_text(encoding="utf-8"), re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """The relative luminance, by WCAG's definition."""
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_text_and_marks_stand_out(look: str) -> None:
    known = colours(look)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    weak = {
        (front, behind): contrast(known[front], known[behind])
        for least, fronts in ((4.5, TEXT), (3.0, MARKS))
        for front, behind in product(fronts, BEHIND)
        if contrast(known[front], known[behind]) < least
    }
    assert weak == {}
    assert contrast(known["on-accent"], known["accent"]) >= 4.5


def test_both_looks_have_the_same_tokens() -> None:
    assert colours("light").keys() == colours("dark").keys()
