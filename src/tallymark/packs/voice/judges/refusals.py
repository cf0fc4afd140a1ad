"""Answers that answer nothing: phrases by which assistants decline, in the languages they are spoken in."""

from typing import Final

from tallymark.packs.voice.judges.words import plain

#: An answer that declines does so early; further on, such words are mostly told of somebody else.
_EARLY: Final = 200

_PHRASES: Final = (
    # English
    "i can't help", "i cannot help", "i can not help", "i can't do that", "i cannot do that", "i can't answer",
    "i cannot answer", "i can't assist", "i cannot assist", "i'm not able to", "i am not able to", "i'm unable to",
    "i am unable to", "i don't know", "i do not know", "i don't understand", "i do not understand",
    "i didn't understand", "i did not understand", "i didn't catch", "i didn't get that", "i don't have information",
    "i don't have that information", "i don't have an answer", "sorry, i can't", "sorry, i cannot",
    "sorry, but i can't", "sorry, but i cannot", "could you rephrase", "please rephrase", "something went wrong",
    # German
    "das weiß ich nicht", "das weiß ich leider nicht", "ich weiß es nicht", "ich weiß nicht", "das kann ich nicht",
    "das kann ich leider nicht", "damit kann ich nicht", "damit kann ich leider nicht", "dabei kann ich nicht helfen",
    "dabei kann ich leider nicht", "ich kann dir nicht helfen", "ich kann ihnen nicht helfen", "ich kann nicht helfen",
    "nicht verstanden", "verstehe ich nicht", "ich verstehe nicht", "keine antwort darauf",
    # French
    "je ne sais pas", "je ne peux pas", "je n'ai pas compris", "je ne comprends pas", "je ne suis pas en mesure",
    # Spanish
    "no puedo ayudar", "no puedo responder", "no puedo hacer eso", "no lo sé", "no sé", "no entiendo", "no entendí",
    "no he entendido", "no te he entendido",
    # Portuguese
    "não posso ajudar", "não posso responder", "não consigo ajudar", "não consigo responder", "não sei",
    "não entendi", "não compreendi",
    # Italian
    "non posso aiutar", "non posso rispondere", "non lo so", "non so rispondere", "non ho capito", "non capisco",
    # Dutch
    "dat weet ik niet", "ik weet het niet", "ik weet niet", "ik kan je niet helpen", "ik kan u niet helpen",
    "ik kan je daar niet", "dat kan ik niet", "ik begrijp het niet", "niet begrepen",
    # Polish, Turkish, Russian
    "nie wiem", "nie mogę pomóc", "nie mogę odpowiedzieć", "nie rozumiem", "nie zrozumiał",
    "bilmiyorum", "yardımcı olamam", "yardımcı olamıyorum", "anlamadım",  # noqa: RUF001  # Turkish has two letters
    "я не знаю", "не могу помочь", "не могу ответить", "не понял", "не понимаю",
)  # fmt: skip

#: Of languages that are written without spaces, or whose words are told apart otherwise.
_UNSPACED: Final = (
    "わかりません", "分かりません", "お答えできません", "お手伝いできません", "お役に立てません",
    "理解できませんでした",
    "我不知道", "无法帮助", "无法回答", "無法回答", "我不明白", "没听懂", "听不懂", "我不太明白",
    "모르겠", "도와드릴 수 없", "이해하지 못했", "답변할 수 없", "답변드릴 수 없",
    "لا أعرف", "لا أستطيع مساعدتك", "لم أفهم", "मुझे नहीं पता", "मदद नहीं कर सकत", "समझ नहीं",
)  # fmt: skip

_SPACED: Final = tuple(f" {plain(phrase)}" for phrase in _PHRASES)


def declines(answer: str) -> bool:
    """Whether the answer begins by declining, or by saying that it did not understand."""
    early = answer[:_EARLY]
    spaced = f" {plain(early)}"
    return any(phrase in spaced for phrase in _SPACED) or any(phrase in early for phrase in _UNSPACED)
