"""Evaluators as JSON: what is read, what is refused and where, and that what is written is read as the same."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import BadRequest
from tallymark.spec.evaluator import Evaluator, EvaluatorDraft, JudgeKind
from tallymark.spec.evaluator_draft import (
    FIELDS,
    HIGHEST_PRICE,
    LONGEST_FILTER,
    LONGEST_PROMPT,
    MOST_FILTERS,
    changed,
    changed_fields,
    parse_draft,
    public,
    public_draft,
)

RULES = {"key": "quality", "judge": "rules"}
WHOLE: dict[str, Any] = {
    "key": "tone",
    "judge": "gemini",
    "model": "gemini-2.5-flash",
    "prompt": "Judge the tone.",
    "rubric": "5 is kind.",
    "sampleRate": 0.25,
    "filter": ["language:de", "intent!weather"],
    "inputPrice": 0.3,
    "outputPrice": 2.5,
}

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_least_that_is_said() -> None:
    assert parse_draft(RULES) == EvaluatorDraft("quality", "rules")
    assert parse_draft(RULES).sample_rate == 1


def test_all_that_can_be_said() -> None:
    draft = parse_draft(WHOLE)
    assert draft == EvaluatorDraft(
        "tone", "gemini", "gemini-2.5-flash", "Judge the tone.", "5 is kind.", 0.25,
        ("language:de", "intent!weather"), 0.3, 2.5,
    )  # fmt: skip
    assert public_draft(draft) == WHOLE
    assert tuple(WHOLE) == FIELDS


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
drafts = st.builds(
    EvaluatorDraft,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    st.sampled_from(["gemini", "openai"]),
    st.from_regex(r"[a-z][a-z0-9:/@_-]{0,30}(\.[a-z0-9]+){0,2}", fullmatch=True),
    texts,
    texts,
    st.floats(0, 1),
    st.lists(texts, max_size=3).map(tuple),
    st.floats(0, HIGHEST_PRICE),
    st.floats(0, HIGHEST_PRICE),
)


@given(drafts)
def test_what_is_written_is_read_as_the_same(draft: EvaluatorDraft) -> None:
    assert parse_draft(public_draft(draft)) == draft
    assert changed(draft, {}) == draft


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], None),
        ({}, "key"),
        ({"key": "a"}, "judge"),
        ({**RULES, "name": "x"}, "name"),
        ({**RULES, "key": "a b"}, "key"),
        ({**RULES, "judge": "human"}, "judge"),
        ({**RULES, "judge": ["rules"]}, "judge"),
        ({**WHOLE, "model": ""}, "model"),
        ({**WHOLE, "model": "../secrets"}, "model"),
        ({**WHOLE, "model": "models/../x"}, "model"),
        ({**WHOLE, "model": "a?key=b"}, "model"),
        ({**WHOLE, "model": "a" * 201}, "model"),
        ({**WHOLE, "model": 4}, "model"),
        ({**RULES, "model": "gpt"}, "model"),
        ({**RULES, "prompt": "Be kind."}, "prompt"),
        ({**RULES, "rubric": "5 is kind."}, "rubric"),
        ({**RULES, "inputPrice": 1}, "inputPrice"),
        ({**WHOLE, "prompt": "a" * (LONGEST_PROMPT + 1)}, "prompt"),
        ({**WHOLE, "rubric": None}, "rubric"),
        ({**WHOLE, "sampleRate": 1.01}, "sampleRate"),
        ({**WHOLE, "sampleRate": -0.1}, "sampleRate"),
        ({**WHOLE, "sampleRate": float("nan")}, "sampleRate"),
        ({**WHOLE, "sampleRate": True}, "sampleRate"),
        ({**WHOLE, "filter": "language:de"}, "filter"),
        ({**WHOLE, "filter": ["a"] * (MOST_FILTERS + 1)}, "filter"),
        ({**WHOLE, "filter": ["a", 1]}, "filter.1"),
        ({**WHOLE, "filter": ["a" * (LONGEST_FILTER + 1)]}, "filter.0"),
        ({**WHOLE, "inputPrice": -1}, "inputPrice"),
        ({**WHOLE, "outputPrice": HIGHEST_PRICE + 1}, "outputPrice"),
    ],
)
def test_what_is_refused(body: Any, field: str | None) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_draft(body)
    assert refused.value.field == field


def test_a_refused_judge_says_which_there_are() -> None:
    with pytest.raises(BadRequest) as refused:
        parse_draft({**RULES, "judge": "human"})
    assert refused.value.allowed == list(get_args(JudgeKind))


def test_a_change_leaves_the_rest() -> None:
    draft = parse_draft(WHOLE)
    assert changed(draft, {"sampleRate": 0.5, "key": "tone"}) == replace(draft, sample_rate=0.5)
    assert changed_fields(draft, replace(draft, sample_rate=0.5, rubric="")) == ("rubric", "sampleRate")
    assert changed_fields(draft, draft) == ()


def test_the_key_stays() -> None:
    with pytest.raises(BadRequest, match="keeps its key"):
        changed(parse_draft(WHOLE), {"key": "other"})


def test_another_judge_does_not_take_the_model_over() -> None:
    draft = parse_draft(WHOLE)
    with pytest.raises(BadRequest) as refused:
        changed(draft, {"judge": "openai"})
    assert refused.value.field == "model"
    asked = changed(draft, {"judge": "openai", "model": "gpt-5-mini"})
    assert (asked.judge, asked.model, asked.rubric) == ("openai", "gpt-5-mini", "5 is kind.")
    rules = changed(draft, {"judge": "rules"})
    assert rules == EvaluatorDraft("tone", "rules", sample_rate=0.25, filter=draft.filter)


def test_an_evaluator_is_shown_whole() -> None:
    shown = public(Evaluator(7, 1, 3, parse_draft(WHOLE), "paused", "Broke.", 20, False, NOW, NOW))
    assert shown == {
        **WHOLE,
        "name": "tone@3",
        "version": 3,
        "status": "paused",
        "pauseReason": "Broke.",
        "failuresInRow": 20,
        "automatic": False,
        "createdAt": "2026-11-21T12:00:00.000Z",
        "updatedAt": "2026-11-21T12:00:00.000Z",
    }
