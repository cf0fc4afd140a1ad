"""What is said in the demo: what customers of a shop ask a voice assistant, and what it answers, in two languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

Language = Literal["en", "de"]

Texts = Mapping[Language, Sequence[str]]


@dataclass(frozen=True)
class Intent:
    """Something that customers ask: how often beside the others, and how surely it is understood."""

    name: str
    weight: int
    sure: float
    asks: Texts
    answers: Texts


INTENTS: Final[Sequence[Intent]] = (
    Intent("product_location", 30, 0.87,
           {"en": ("where do I find {product}", "which aisle has {product}"),
            "de": ("wo finde ich {product}", "in welchem gang gibt es {product}")},
           {"en": ("You find {product} in aisle {aisle}, on the left.", "In aisle {aisle} there is {product}."),
            "de": ("{product} finden Sie in Gang {aisle} auf der linken Seite.",
                   "{product} gibt es in Gang {aisle}.")}),
    Intent("stock_check", 18, 0.83,
           {"en": ("do you have {product} in stock", "is there any {product} left"),
            "de": ("habt ihr noch {product} auf lager", "ist noch {product} da")},
           {"en": ("Yes, we have {product} in stock.", "There is no {product} left, but there will be on {day}."),
            "de": ("Ja, {product} haben wir auf Lager.", "{product} ist nicht mehr da, aber am {day} wieder.")}),
    Intent("price_check", 16, 0.85,
           {"en": ("how much is {product}", "what is the price of {product}"),
            "de": ("was kostet {product}", "wie teuer ist {product}")},
           {"en": ("The price of {product} is {price}.", "At the moment {product} is {price}."),
            "de": ("{product} kostet bei uns {price}.", "{product} kostet im Moment {price}.")}),
    Intent("opening_hours", 12, 0.92,
           {"en": ("when do you close on {day}", "are you open on {day}"),
            "de": ("wann macht ihr am {day} zu", "habt ihr am {day} offen")},
           {"en": ("On {day} we are open until {hour}.", "We close at {hour} on {day}."),
            "de": ("Am {day} haben wir bis {hour} offen.", "Am {day} machen wir um {hour} zu.")}),
    Intent("order_status", 10, 0.8,
           {"en": ("has my order arrived", "when will my order be ready"),
            "de": ("ist meine bestellung da", "wann ist meine bestellung fertig")},
           {"en": ("Your order has arrived and is ready.", "Your order will be ready on {day}."),
            "de": ("Ihre Bestellung ist da und liegt bereit.", "Ihre Bestellung ist am {day} fertig.")}),
    Intent("returns", 8, 0.76,
           {"en": ("can I return {product}", "how long can I return {product}"),
            "de": ("kann ich {product} umtauschen", "wie lange kann ich {product} umtauschen")},
           {"en": ("You can return {product} within thirty days.", "To return {product}, bring the receipt."),
            "de": ("Sie können {product} in dreißig Tagen umtauschen.", "Zum Umtauschen von {product} brauchen wir den "
                   "Bon.")}),
    Intent("pairing", 6, 0.68,
           {"en": ("what goes well with {product}", "which wine goes with {product}"),
            "de": ("was passt gut zu {product}", "welcher wein passt zu {product}")},
           {"en": ("With {product} most people like a dry white wine.", "Fresh bread goes well with {product}."),
            "de": ("Zu {product} passt ein trockener Wein.", "Frisches Brot passt gut zu {product}.")}),
)  # fmt: skip

#: The intent of what is not understood, what is recognised then, and what is answered.
FALLBACK: Final = "fallback"
MUMBLED: Final[Texts] = {
    "en": ("uh the the thing from", "no I mean this other one", "hello can it"),
    "de": ("äh das das ding vom", "nein ich meine das andere", "hallo kann das"),
}
EXCUSES: Final[Texts] = {
    "en": ("Sorry, I did not understand that.", "Could you rephrase that?"),
    "de": ("Das habe ich nicht verstanden.", "Das habe ich leider nicht verstanden. Noch einmal, bitte?"),
}
REFUSALS: Final[Texts] = {
    "en": ("I'm sorry, I can't help with that.", "I don't know, please ask the staff."),
    "de": ("Dabei kann ich leider nicht helfen.", "Das weiß ich nicht, bitte fragen Sie das Personal."),
}

_SLOTS: Final[Mapping[str, Texts]] = {
    "product": {
        "en": ("oat milk", "olive oil", "dark chocolate", "goat cheese", "rye bread", "smoked salmon", "basmati rice",
               "red lentils", "maple syrup", "fresh basil", "washing powder", "light bulbs"),
        "de": ("Hafermilch", "Olivenöl", "Schokolade", "Ziegenkäse", "Roggenbrot", "Räucherlachs", "Basmatireis",
               "Linsen", "Ahornsirup", "Basilikum", "Waschpulver", "Glühbirnen"),
    },
    "day": {"en": ("Monday", "Wednesday", "Friday", "Saturday"), "de": ("Montag", "Mittwoch", "Freitag", "Samstag")},
    "aisle": {"en": ("two", "four", "seven", "nine"), "de": ("zwei", "vier", "sieben", "neun")},
    "price": {"en": ("two euros", "four euros fifty"), "de": ("zwei Euro", "vier Euro fünfzig")},
    "hour": {"en": ("six o'clock", "eight o'clock"), "de": ("sechs Uhr", "acht Uhr")},
}  # fmt: skip


def slots(language: Language, draw: Random) -> dict[str, str]:
    """Words for what is left open in a query and its answer."""
    return {name: draw.choice(texts[language]) for name, texts in _SLOTS.items()}
