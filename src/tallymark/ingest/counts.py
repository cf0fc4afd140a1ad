"""What was accepted and refused: as totals for monitoring, and by project, day and reason in the engine."""

import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.ingest.decode import Rejection

#: Project, days since 1970, reason.
_Key = tuple[int, int, str]


class Counts:
    """Counts since the start in `accepted` and `rejected`; refusals wait here until `flush` writes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._pending: Counter[_Key] = Counter()
        self._unsure: Counter[_Key] = Counter()
        self._token = ""
        self.accepted = 0
        self.rejected: Counter[str] = Counter()

    def add(self, project: int, now_ms: int, accepted: int, refused: Sequence[Rejection]) -> None:
        """Counts a request."""
        self.accepted += accepted
        if not refused:
            return
        with self._lock:
            for rejection in refused:
                self.rejected[rejection.reason] += 1
                self._pending[project, now_ms // 86_400_000, rejection.reason] += 1

    def flush(self) -> None:
        """Writes the counts of refusals that are not written yet; they wait on where the engine is away.

        Counts whose writing failed are written again as they were, with the same token: they may be in already.
        """
        with self._flushing:
            if not self._unsure:
                with self._lock:
                    self._unsure, self._pending = self._pending, Counter()
                self._token = secrets.token_hex(16)
            if self._unsure:
                self._engine.insert("rejections", _table(self._unsure), self._token)
                self._unsure = Counter()


def _table(counts: Mapping[_Key, int]) -> pa.Table:
    days = [datetime.fromtimestamp(day * 86_400, UTC).date() for _, day, _ in counts]
    return pa.table(
        {
            "project": pa.array([project for project, _, _ in counts], pa.uint32()),
            "day": pa.array(days, pa.date32()),
            "reason": pa.array([str(reason) for _, _, reason in counts]),
            "n": pa.array(list(counts.values()), pa.uint64()),
        }
    )
