"""The judge that is a set of rules."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.packs.voice.judges import rules
from tallymark.packs.voice.judges.languages import language_of, script_of
from tallymark.packs.voice.judges.refusals import declines
from tallymark.packs.voice.judges.rules import BEGIN, RULES, RulesJudge, verdict
from tallymark.packs.voice.judges.words import plain, words
from tallymark.spec.evaluation import HIGHEST, LOWEST, SCORES, Case, Verdict
from tallymark.spec.evaluator import EvaluatorDraft

PLAIN = Case("What's the weather in Berlin tomorrow?", "Sunny, 21 degrees.", "weather", "en-US", total_ms=900.0)


def judged(transcript: str, response: str, **fields: Any) -> Verdict:
    return verdict(Case(transcript, response, **fields))


def labels(transcript: str, response: str, **fields: Any) -> tuple[str, ...]:
    return judged(transcript, response, **fields).labels


def test_nothing_stands_out() -> None:
    said = verdict(PLAIN)
    assert dict(said.scores) == dict(zip(SCORES, BEGIN, strict=True))
    assert (said.labels, said.rationale) == ((), "By rules: nothing stands out.")
    assert said.usage.tokens == 0


def test_as_a_judge() -> None:
    judge = RulesJudge()
    said = asyncio.run(judge.judge(PLAIN, EvaluatorDraft("quality", "rules", prompt="Be kind.")))
    asyncio.run(judge.close())
    assert said == verdict(PLAIN)


def test_the_table_in_the_docstring_is_what_is_done() -> None:
    written = re.findall(
        r"^    (\S.*?)\s{2,}(?:([a-z_]+)\s+)?([-+]?\d)\s+([-+]?\d)\s+([-+]?\d)\s+([-+]?\d)\s+([-+]?\d)$",
        rules.__doc__ or "",
        re.MULTILINE,
    )
    table = [(said, label, tuple(map(int, points))) for said, label, *points in written]
    assert table == [("where a score begins", "", BEGIN), *((rule.words, rule.label, rule.points) for rule in RULES)]


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"error": "upstream"}, "error"),
        ({"success": False}, "error"),
        ({"response": ""}, "empty_answer"),
        ({"response": " … ?! 👍"}, "empty_answer"),
        ({"response": "Sorry, I can’t help with that."}, "refusal"),
        ({"response": "whats the WEATHER in berlin - tomorrow", "transcript": "Whats the weather in Berlin tomorrow?"},
         "echo"),
        ({"previous_response": "sunny 21 DEGREES"}, "repeated_answer"),
        ({"response": "Das Wetter ist morgen sonnig und es wird warm."}, "language_mismatch"),
        ({"response": "Завтра будет солнечно."}, "language_mismatch"),
        ({"response": "Bananas contain plenty of potassium and fibre."}, "no_overlap"),
        ({"total_ms": 3_000.0}, "slow"),
        ({"total_ms": 8_000.0}, "slow"),
    ],
)  # fmt: skip
def test_each_rule(changed: dict[str, Any], label: str) -> None:
    said = verdict(replace(PLAIN, **changed))
    assert said.labels == (label,)
    assert said.rationale.startswith("By rules: the answer ")
    assert said.scores["overall"] < BEGIN[-1] or label == "slow"
    assert said.scores["helpfulness"] < BEGIN[2] or label == "no_overlap"


@pytest.mark.parametrize(
    "changed",
    [
        {"success": True},
        {"success": None},
        {"total_ms": 2_999.0},
        {"total_ms": None},
        {"total_ms": float("nan")},
        {"previous_response": "Rainy, 8 degrees."},
        {"previous_response": "Sunny, 21 degrees.", "intent": "repeat_answer"},
        {"transcript": "How do you say that it will be warm in German?", "intent": "translate",
         "response": "Das Wetter ist morgen sonnig und es wird warm."},
        {"language": "de-DE", "response": "Das Wetter ist morgen sonnig und es wird warm."},
        {"transcript": "Spiel Beyoncé", "response": "Playing Beyoncé on your speaker."},
        {"transcript": "Who wrote Hamlet?", "response": "William Shakespeare."},
        {"transcript": "明日の天気は", "response": "明日は晴れでしょう。"},
        {"response": "You told me that you want to be woken at seven, and that your brother, who is travelling through"
         " Spain by train, is coming for dinner on Sunday. He wrote that he is bringing wine, and that of both hotels"
         " you asked about, he said about Berlin: I don't know."},
    ],
)  # fmt: skip
def test_what_no_rule_minds(changed: dict[str, Any]) -> None:
    assert verdict(replace(PLAIN, **changed)).labels == ()


def test_an_answer_in_the_words_of_its_query() -> None:
    said = judged("What's the weather in Berlin on Sunday?", "On Sunday the weather in Berlin is fine and warm.")
    assert said.scores == {"relevance": 5, "correctness": 3, "helpfulness": 4, "safety": 5, "overall": 5}
    refused = judged("What's the weather in Berlin on Sunday?", "I don't know the weather in Berlin on Sunday, sorry.")
    assert refused.scores == {"relevance": 3, "correctness": 2, "helpfulness": 1, "safety": 5, "overall": 2}


def test_points_add_up_and_stay_within() -> None:
    said = verdict(replace(PLAIN, response="", error="timeout", success=False, total_ms=30_000.0))
    assert said.scores == {"relevance": 1, "correctness": 1, "helpfulness": 1, "safety": 5, "overall": 1}
    assert said.labels == ("error", "empty_answer", "slow")
    assert said.rationale == (
        "By rules: the answer has an error, or did not succeed; holds no letter and no digit; took 3 seconds or more; "
        "took 8 seconds or more."
    )


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I cannot help with that.", "Hmm, I DON'T KNOW.", "I didn’t catch that. Could you rephrase?",
        "Das weiß ich leider nicht.", "Entschuldigung, das habe ich nicht verstanden.", "Désolé, je ne sais pas.",
        "Je n’ai pas compris.", "Lo siento, no entiendo.", "Desculpe, não entendi.", "Mi dispiace, non lo so.",
        "Sorry, dat weet ik niet.", "Przepraszam, nie wiem.", "Üzgünüm, bilmiyorum.", "Извините, я не знаю.",
        "すみません、わかりません。", "抱歉我不知道。", "죄송해요, 잘 모르겠어요.", "عذرا، لا أعرف.",
        "माफ़ कीजिए, मुझे नहीं पता।",
    ],
)  # fmt: skip
def test_refusals_in_many_languages(answer: str) -> None:
    assert declines(answer)
    assert "refusal" in labels("Query", answer)


@pytest.mark.parametrize("answer", ["I know the answer.", "Uno sécateur", "Ich weiß es.", "", "Help!"])
def test_no_refusals(answer: str) -> None:
    assert not declines(answer)


@pytest.mark.parametrize(
    ("text", "script", "language"),
    [
        ("The weather is fine and you can go out.", "latin", "en"),
        ("Das Wetter ist schön und du kannst auf die Straße.", "latin", "de"),
        ("Le temps est beau, vous pouvez sortir avec une veste.", "latin", "fr"),
        ("El tiempo es bueno y las calles están secas.", "latin", "es"),
        ("O tempo não está bom, mas você pode sair.", "latin", "pt"),
        ("Il tempo è bello e gli alberi sono verdi.", "latin", "it"),
        ("Het weer is goed en je kan naar buiten.", "latin", "nl"),
        ("Завтра будет солнечно", "cyrillic", ""),
        ("明日は晴れでしょう", "cjk", ""),
        ("내일은 맑겠습니다", "hangul", ""),
        ("καλημέρα", "greek", ""),
        ("الطقس جميل", "arabic", ""),
        ("Play 千本桜", "", ""),
        ("OK 21", "", ""),
        ("la casa", "latin", ""),
    ],
)
def test_scripts_and_languages(text: str, script: str, language: str) -> None:
    assert script_of(text) == script
    assert language_of(words(text)) == language


_TEXT = st.text() | st.text(st.characters(exclude_categories=())) | st.sampled_from(["", "the is and", "не понял"])


@given(_TEXT, _TEXT, _TEXT, st.floats() | st.none(), st.booleans() | st.none())
def test_any_text_gets_a_verdict(
    query: str, answer: str, before: str, total_ms: float | None, success: bool | None
) -> None:
    case = Case(query, answer, before, before, "", success, total_ms=total_ms, previous_response=before)
    said = verdict(case)
    assert set(said.scores) == set(SCORES)
    assert all(LOWEST <= score <= HIGHEST for score in said.scores.values())
    assert said == verdict(case)
    assert set(said.labels) <= {rule.label for rule in RULES}


@given(st.text())
def test_plain_is_plain(text: str) -> None:
    assert plain(plain(text)) == plain(text)
