"""Experiments of projects from memory, for the path that assignments take; the store is asked now and then."""

import time
from collections.abc import Callable, Mapping
from threading import Lock

from tallymark.control.experiments import Experiments
from tallymark.spec.experiment import Experiment

_FRESH_SECONDS = 5.0


class ExperimentBook:
    """All experiments of a project, read again when they are five seconds old or were dropped by `forget`.

    May be called from any thread.
    """

    def __init__(self, experiments: Experiments, clock: Callable[[], float] = time.monotonic) -> None:
        self._experiments = experiments
        self._clock = clock
        self._known: dict[int, tuple[float, Mapping[str, Experiment]]] = {}
        self._changes = 0
        self._lock = Lock()

    def of(self, project_id: int) -> Mapping[str, Experiment]:
        """The experiments of a project by key, of whatever status, oldest first."""
        known = self._known.get(project_id)
        if known is not None and known[0] > self._clock():
            return known[1]
        changes = self._changes
        read = {experiment.key: experiment for experiment in self._experiments.all(project_id)}
        with self._lock:
            if changes == self._changes:  # else what was read may be what was before a change
                self._known[project_id] = (self._clock() + _FRESH_SECONDS, read)
        return read

    def forget(self) -> None:
        """Reads again at the next question; call it when experiments have changed."""
        with self._lock:
            self._changes += 1
            self._known.clear()
