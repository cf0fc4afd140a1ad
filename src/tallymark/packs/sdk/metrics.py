"""The sdk pack's declarations: counters that SDKs send, by network."""

from typing import Final

from tallymark.packs.sdk.board import BOARD
from tallymark.packs.sdk.names import (
    CONNECT_ATTEMPTS,
    CONNECT_SUCCESS,
    COUNTERS,
    ERROR_PREFIX,
    NETWORK,
    NETWORKS,
    REGISTRY_CACHE_HIT,
    REGISTRY_FETCH,
    RESTORE_ATTEMPTS,
    SESSIONS_CREATED,
    SESSIONS_RESTORED,
    VERSION,
    VERSIONS,
)
from tallymark.spec.condition import Column, Comparison, Joined, Op, Prop, event, human
from tallymark.spec.measure import Measure, actors, count, total
from tallymark.spec.metric import Dimension, Metric, Plain, Ratio
from tallymark.spec.pack import Pack

#: A counter's event says which network it is of.
COUNTER: Final = human() & Comparison(Prop(NETWORK), Op.IS_NOT, ("",))

VALUE: Final = total(Column("value"), COUNTER)
APPS: Final = actors(COUNTER)

#: Names and networks that a new project may have; together they stay below the keys that rollups keep.
MOST_NAMES, MOST_NETWORKS = 500, 32


def _counted(*names: str) -> Measure:
    """The sum of counters."""
    return total(Column("value"), COUNTER & event(*names))


_ERRORS = total(Column("value"), COUNTER & Comparison(Column("event"), Op.MATCHES, (f"^{ERROR_PREFIX}",)))

METRICS = (
    Metric("counter_value", "Counted", "Sum of the increments of all counters; by event, that of each counter.",
           Plain(VALUE), unit="number", good="up"),
    Metric("active_apps", "Active apps", "Distinct apps that sent a counter.", Plain(APPS), good="up"),
    Metric("counter_events", "Increments", "How many increments were received.", Plain(count(COUNTER)), good="up"),
    Metric("sdk_sessions", "Sessions enabled", "Sessions created and restored.",
           Plain(_counted(SESSIONS_CREATED, SESSIONS_RESTORED)), good="up"),
    Metric("connect_success_rate", "Connect success", "Successful connections over attempts.",
           Ratio(_counted(CONNECT_SUCCESS), _counted(CONNECT_ATTEMPTS)), unit="share", good="up"),
    Metric("restore_success_rate", "Restore success", "Sessions restored over attempts to restore one.",
           Ratio(_counted(SESSIONS_RESTORED), _counted(RESTORE_ATTEMPTS)), unit="share", good="up"),
    Metric("registry_cache_hit_rate", "Registry cache hits", "Registry reads from the cache over all reads.",
           Ratio(_counted(REGISTRY_CACHE_HIT), _counted(REGISTRY_CACHE_HIT, REGISTRY_FETCH)), unit="share", good="up"),
    Metric("sdk_errors", "Errors", f"Sum of the counters whose names begin with `{ERROR_PREFIX}`.", Plain(_ERRORS),
           good="down"),
)  # fmt: skip

DIMENSIONS = (
    Dimension(NETWORKS, "Network", "Network that the SDK was used with: mainnet, devnet, …", Prop(NETWORK), None),
    Dimension(VERSIONS, "SDK version", "Version of the SDK.", Prop(VERSION), None),
    Dimension(COUNTERS, "Counter of a network", "Network and name of a counter, as `devnet/sessions_created`.",
              Joined((Prop(NETWORK), Column("event"))), None, most_keys=MOST_NAMES * MOST_NETWORKS),
)  # fmt: skip

PACK = Pack(
    "sdk",
    "SDK counters",
    "Privacy-safe counters of applications, with monthly reports.",
    METRICS,
    DIMENSIONS,
    defaults={"retention": "24h", "pii": "reject", "maxEventNames": MOST_NAMES},
    board=BOARD,
)
