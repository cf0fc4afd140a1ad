"""The words of a text, whatever its language: all of them, and those that carry what it is about."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from tallymark.packs.voice.judges.languages import STOP_WORDS

_WORD: Final = re.compile(r"[^\W_]+")

#: Words are compared by their beginnings, which lets most endings go in most languages.
_STEM: Final = 5

#: Words of questions and of talking to an assistant, besides `STOP_WORDS`.
_ASKING: Final = """
what when where which who why how tell show give please hey hi hello okay ok much many long does did do can could would
should today now get set let make want need like know find say about going
was wann wo wer wie warum welche welcher welches zeig sag gib bitte hallo kannst viel viele heute jetzt
quel quelle quels quand où qui pourquoi comment combien dis montre donne aujourd hui maintenant
qué cuál cuándo dónde quién cómo cuánto dime muestra dame favor hoy ahora
qual quando onde quem quanto diga mostre hoje agora quale dove chi dimmi oggi adesso
wat wanneer waar wie waarom welke hoeveel vertel toon geef vandaag nu
"""
_EMPTY: Final = STOP_WORDS | frozenset(_ASKING.split())


def words(text: str) -> list[str]:
    """The words of a text in order, without case and without what stands between them."""
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def plain(text: str) -> str:
    """The text as its words with a space between each; equal for texts that are spoken alike."""
    return " ".join(words(text))


def stems(said: Iterable[str]) -> frozenset[str]:
    """The beginnings of those words that carry what a text is about."""
    return frozenset(word[:_STEM] for word in said if len(word) > 1 and word not in _EMPTY)
