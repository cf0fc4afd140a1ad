"""What a judge said, as the event `voice_evaluated`: of one identity for an exchange and a version of an evaluator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from tallymark.api.services import Services
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit, kept
from tallymark.packs.voice import names
from tallymark.packs.voice.cases import Exchange
from tallymark.spec.evaluation import Verdict
from tallymark.spec.evaluator import Evaluator
from tallymark.spec.project import Project

_LIMITS: Final = Limits(None, 1 << 62, 100, 1 << 20)


@dataclass(frozen=True)
class Evaluated:
    """A verdict on an exchange."""

    exchange: Exchange
    evaluator: Evaluator
    verdict: Verdict

    @property
    def event(self) -> WireEvent:
        """The event; it lies where the exchange lies, and its value is the overall score."""
        verdict, draft = self.verdict, self.evaluator.draft
        usage = verdict.usage
        properties: dict[str, Any] = {
            **self.exchange.kept,
            **verdict.scores,
            names.EVALUATOR: self.evaluator.name,
            names.JUDGE: draft.judge,
            names.JUDGE_MODEL: draft.model,
            names.RATIONALE: verdict.rationale,
            names.LABELS: ",".join(verdict.labels),
            names.JUDGE_TOKENS: usage.tokens,
            names.JUDGE_COST: self.evaluator.cost(usage.prompt_tokens, usage.completion_tokens),
        }
        return WireEvent(
            event=names.EVALUATED,
            timestamp=self.exchange.at,
            event_id=f"{self.exchange.identity}\n{self.evaluator.name}",
            value=float(verdict.scores["overall"]),
            properties=properties,
        )


async def write(here: Services, project: Project, evaluated: Sequence[Evaluated]) -> dict[int, int]:
    """The ids of the events by exchange, when they are on disk; none of those on days whose numbers are final.

    What a judge writes may repeat what it was shown, so personal data is redacted. Errors: `QueueFull`.
    """
    events = [each.event for each in evaluated]
    own = replace(project, event_names=None, pii="allow" if project.pii == "allow" else "redact")
    body = msgspec.json.encode([(each.verdict.rationale, each.verdict.labels) for each in evaluated])
    decoded = Decoded(events, range(len(events)))
    batch = admit(decoded, own, _LIMITS, int(here.now() * 1000), "", body)
    await here.receiver.sealed.check(batch)
    rows = here.receiver.enricher.rows(batch, "")
    exchanges = [evaluated[place].exchange for place in kept(batch)]
    for name in exchanges[0].columns if exchanges else ():
        setattr(rows, name, [exchange.columns[name] for exchange in exchanges])
    if len(rows):
        await here.writer.write(rows)
    return {exchange.id: event for exchange, event in zip(exchanges, rows.event_id, strict=True)}
