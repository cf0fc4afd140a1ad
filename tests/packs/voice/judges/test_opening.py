"""Which judges there are by the settings."""

import asyncio
import subprocess
import sys

import pytest

from tallymark.packs.voice.judges.opening import Judges
from tallymark.packs.voice.judges.rules import RulesJudge
from tallymark.spec.evaluation import Case, Failed, Fault, Verdict
from tallymark.spec.evaluator import EvaluatorDraft, JudgeKind
from tests.packs.voice.llm import Llm

_LAZY = """
import sys
from tallymark.packs.voice.judges.opening import Judges
Judges(gemini_key="k", openai_key="k").available()
assert not {"openai", "google.genai"} & set(sys.modules)
"""


def test_the_rules_are_always_there() -> None:
    assert Judges().available() == ("rules",)


def test_a_key_of_gemini_is_preferred() -> None:
    assert Judges(gemini_key="k", openai_key="k").available() == ("gemini", "openai", "rules")


def test_an_address_of_its_own_needs_no_key() -> None:
    assert Judges(gemini_base_url="http://127.0.0.1:1").available() == ("rules",)
    assert Judges(openai_base_url="http://127.0.0.1:1/v1").available() == ("openai", "rules")
    assert Judges(openai_key="k").available() == ("openai", "rules")


def test_a_server_of_ones_own_is_asked_without_a_key(llm: Llm) -> None:
    async def run() -> Verdict | Failed:
        judges = Judges(openai_base_url=llm.openai_url)
        try:
            return await judges.get("openai").judge(Case("a", "b"), EvaluatorDraft("quality", "openai", "m"))
        finally:
            await judges.close()

    assert isinstance(asyncio.run(run()), Verdict)


@pytest.mark.parametrize(("kind", "wanted"), [("gemini", "GEMINI_API_KEY"), ("openai", "OPENAI_BASE_URL")])
def test_without_its_setting_a_judge_says_so(kind: JudgeKind, wanted: str) -> None:
    async def run() -> Verdict | Failed:
        judges = Judges()
        try:
            return await judges.get(kind).judge(Case("a", "b"), EvaluatorDraft("quality", kind, "m"))
        finally:
            await judges.close()

    outcome = asyncio.run(run())
    assert isinstance(outcome, Failed)
    assert outcome.fault is Fault.UNAUTHORIZED
    assert wanted in outcome.message


def test_a_judge_is_opened_once_until_all_are_closed() -> None:
    async def run() -> None:
        judges = Judges(gemini_key="k")
        first = judges.get("gemini")
        assert judges.get("gemini") is first
        assert isinstance(judges.get("rules"), RulesJudge)
        await judges.close()
        await judges.close()
        assert judges.get("gemini") is not first
        await judges.close()

    asyncio.run(run())


def test_libraries_are_loaded_when_needed() -> None:
    done = subprocess.run([sys.executable, "-c", _LAZY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
