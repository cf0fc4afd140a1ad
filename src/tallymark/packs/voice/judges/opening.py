"""The judges that there are by the settings, each opened when it is first asked for."""

import asyncio
from typing import Final

from tallymark.packs.voice.judges.judge import Judge
from tallymark.packs.voice.judges.rules import RulesJudge
from tallymark.spec.evaluation import Case, Failed, Fault, Verdict
from tallymark.spec.evaluator import EvaluatorDraft, JudgeKind

_WANTED: Final[dict[JudgeKind, str]] = {"gemini": "GEMINI_API_KEY", "openai": "OPENAI_API_KEY or OPENAI_BASE_URL"}


class Judges:
    """Opens judges by kind, one of a kind for each event loop, and closes them.

    Keys and addresses: '' where there are none. `timeout`: seconds for a case.
    """

    def __init__(
        self,
        *,
        gemini_key: str = "",
        gemini_base_url: str = "",
        openai_key: str = "",
        openai_base_url: str = "",
        timeout: float = 30.0,
    ) -> None:
        self._gemini = (gemini_key, gemini_base_url, timeout)
        self._openai = (openai_key, openai_base_url, timeout)
        self._open: dict[asyncio.AbstractEventLoop, dict[JudgeKind, Judge]] = {}

    def available(self) -> tuple[JudgeKind, ...]:
        """The kinds that could judge by the settings, the preferred one first; the rules always can."""
        there: dict[JudgeKind, bool] = {"gemini": bool(self._gemini[0]), "openai": any(self._openai[:2]), "rules": True}
        return tuple(kind for kind, is_there in there.items() if is_there)

    def get(self, kind: JudgeKind) -> Judge:
        """The judge of that kind for the running event loop; its first use takes half a second to import a library.

        Where its key is missing, it is one that answers every case with `Fault.UNAUTHORIZED`, as a server would that
        is shown a wrong key.
        """
        here = self._open.setdefault(asyncio.get_running_loop(), {})
        if kind not in here:
            here[kind] = self._opened(kind)
        return here[kind]

    async def close(self) -> None:
        """Closes the judges of the running event loop; to be called before that ends. Others are left alone."""
        for judge in self._open.pop(asyncio.get_running_loop(), {}).values():
            await judge.close()

    def _opened(self, kind: JudgeKind) -> Judge:
        if kind not in self.available():
            return _Keyless(_WANTED[kind])
        if kind == "gemini":
            # Takes half a second and 40 MB, for which no command and no server without a key should wait.
            from tallymark.packs.voice.judges.gemini import GeminiJudge  # noqa: PLC0415

            return GeminiJudge(*self._gemini)
        if kind == "openai":
            from tallymark.packs.voice.judges.openai import OpenAIJudge  # noqa: PLC0415  # as above

            return OpenAIJudge(*self._openai)
        return RulesJudge()


class _Keyless:
    """The judge that can't be asked, since a setting is missing."""

    def __init__(self, wanted: str) -> None:
        self._failed = Failed(Fault.UNAUTHORIZED, f"The judge can't be asked: {wanted} is not set.")

    async def judge(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        """Why it can't."""
        return self._failed

    async def close(self) -> None:
        """Nothing is open."""
