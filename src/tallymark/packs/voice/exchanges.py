"""Exchanges: a query and its outcome joined by id, whatever their order, soon after both are there.

A query without an outcome, or an outcome without a query, becomes an exchange of its own once nothing of it has come
for ten minutes; what comes later joins it all the same, and repairs its day.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tallymark.packs.derived import Derivation, Deriving
from tallymark.packs.voice.contract import CONTRACT
from tallymark.packs.voice.exchange_sql import PARTS, REACH, void_exchanges, write_exchanges
from tallymark.packs.voice.names import EXCHANGE

#: How long one waits for the other where nothing else is said.
PATIENCE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Exchanges(Deriving):
    """Keeps the exchanges of projects true. One without the other waits for it for `patience`."""

    what = Derivation(CONTRACT.pack, "exchanges", EXCHANGE, PARTS, REACH, write_exchanges(), void_exchanges())

    patience: timedelta = PATIENCE
