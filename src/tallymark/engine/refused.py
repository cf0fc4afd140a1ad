"""What the engine will not do."""

from tallymark.errors import TallymarkError

#: ClickHouse's error codes for rows that it can't represent; any other refusal is about the engine's own state.
_ABOUT_DATA = frozenset({6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 349, 376, 441, 467, 675})


class EngineRefused(TallymarkError):
    """The engine answered that it won't: a fault of ours or of its configuration, not of the caller."""

    code = "engine_refused"

    def __init__(self, message: str, engine_code: int | None = None) -> None:
        super().__init__(message)
        self.about_data = engine_code in _ABOUT_DATA
