"""What was accepted and refused: as totals for monitoring, and by project, day and reason in the engine."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.ingest.decode import Rejection


class Counts:
    """Counts since the start in `accepted` and `rejected`; refusals wait here until `flush` writes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._pending: Counter[tuple[int, int, str]] = Counter()
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
        """Writes the counts of refusals that are not written yet; they wait on where the engine is away."""
        with self._lock:
            taken, self._pending = self._pending, Counter()
        if not taken:
            return
        days = [datetime.fromtimestamp(day * 86_400, UTC).date() for _, day, _ in taken]
        table = pa.table(
            {
                "project": pa.array([project for project, _, _ in taken], pa.uint32()),
                "day": pa.array(days, pa.date32()),
                "reason": pa.array([str(reason) for _, _, reason in taken]),
                "n": pa.array(list(taken.values()), pa.uint64()),
            }
        )
        try:
            self._engine.insert("rejections", table)
        except Exception:
            with self._lock:
                self._pending.update(taken)
            raise
