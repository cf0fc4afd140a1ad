"""Names of the sdk contract's counters and properties."""

from typing import Final

NETWORK: Final = "network"
VERSION: Final = "sdkVersion"

#: Dimensions. The last one is a network and a counter in it, joined by a `/`.
NETWORKS: Final = "network"
VERSIONS: Final = "sdk_version"
COUNTERS: Final = "network_counter"

#: What stands for every network in questions and answers.
ALL: Final = "all"

CONNECT_ATTEMPTS: Final = "wallet_connect_attempts"
CONNECT_SUCCESS: Final = "wallet_connect_success"
SESSIONS_CREATED: Final = "sessions_created"
SESSIONS_RESTORED: Final = "sessions_restored"
RESTORE_ATTEMPTS: Final = "restore_attempts"
REGISTRY_FETCH: Final = "registry_fetch"
REGISTRY_CACHE_HIT: Final = "registry_cache_hit"

#: Counters of errors begin with it: `error_TIMEOUT`.
ERROR_PREFIX: Final = "error_"
