"""Which script and which language a text is in, where that can be told without doubt; else nothing.

A language is told by its most frequent small words. Languages that are close share many of these, so that short texts
stay undecided: better no answer than a wrong one.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Final

#: How much of a text is looked at, in characters and in words.
_LOOKED_AT: Final = 200
_WORDS: Final = 60

#: A script is a text's if so many of its letters are of it, and it has so many letters.
_SHARE: Final = 0.8
_FEWEST_LETTERS: Final = 4

#: A language is a text's if so many of its words are small words of it, and twice as many as of any other.
_FEWEST_HITS: Final = 2

#: Where scripts begin, in order of code points; '' is for what belongs to none of these or to several.
_BLOCKS: Final = (
    (0x0000, ""), (0x0041, "latin"), (0x005B, ""), (0x0061, "latin"), (0x007B, ""), (0x00C0, "latin"), (0x02B0, ""),
    (0x0370, "greek"), (0x0400, "cyrillic"), (0x0530, ""), (0x0590, "hebrew"), (0x0600, "arabic"), (0x0700, ""),
    (0x0900, "devanagari"), (0x0980, ""), (0x0E00, "thai"), (0x0E80, ""), (0x1100, "hangul"), (0x1200, ""),
    (0x1E00, "latin"), (0x1F00, "greek"), (0x2000, ""), (0x3040, "cjk"), (0x3130, ""), (0x3400, "cjk"), (0xA000, ""),
    (0xAC00, "hangul"), (0xD7B0, ""), (0xF900, "cjk"), (0xFB00, ""), (0x20000, "cjk"), (0x32000, ""),
)  # fmt: skip
_STARTS: Final = tuple(start for start, _ in _BLOCKS)
_SCRIPTS: Final = tuple(script for _, script in _BLOCKS)

_SMALL: Final = {
    "en": "the is are was were you your it's it what that this these there have has had not with from for and but"
          " they their would will can be of to my i some on off at any in",
    "de": "der die das den dem ein eine einen einem ist sind war nicht und mit auf für von ich du sie es wird kann"
          " auch aber noch im zum zur wie habe hat bei nach in",
    "fr": "le les des est sont était une dans pour pas vous nous je il elle ce cette qui avec sur au aux du et mais"
          " votre vos mon c'est ne",
    "es": "el los las es son una en para con por pero como muy está están tu su mi yo del al y lo se hay qué más",
    "pt": "o os as é são um uma em para com não mas como muito está seu sua meu do da dos das no na e você mais",
    "it": "il gli è sono un una di per con non ma come molto sta suo tua mio del della che nel e lo si più ci in",
    "nl": "de het een is zijn was niet en met op voor van ik je jij u hij zij wordt kan ook maar nog naar bij dat"
          " hoe heb heeft in",
}  # fmt: skip

_LANGUAGES: Final = {
    word: tuple(language for language, small in _SMALL.items() if word in small.split())
    for word in " ".join(_SMALL.values()).split()
}

#: The small words of all languages together.
STOP_WORDS: Final = frozenset(_LANGUAGES)


def script_of(text: str) -> str:
    """The script that a text is written in: `latin`, `cyrillic`, `cjk`, …; '' where it has few letters, or several."""
    counted = Counter(_SCRIPTS[bisect_right(_STARTS, ord(character)) - 1] for character in text[:_LOOKED_AT])
    del counted[""]
    letters = counted.total()
    if letters < _FEWEST_LETTERS:
        return ""
    script, most = counted.most_common(1)[0]
    return script if most >= _SHARE * letters else ""


def language_of(words: Sequence[str]) -> str:
    """The language of a text's words, one of seven in Latin letters; '' where it can't be told."""
    hits = Counter(language for word in words[:_WORDS] for language in _LANGUAGES.get(word, ()))
    ranked = hits.most_common(2)
    if not ranked or ranked[0][1] < _FEWEST_HITS:
        return ""
    runner_up = ranked[1][1] if len(ranked) > 1 else 0
    return ranked[0][0] if ranked[0][1] >= 2 * runner_up else ""
