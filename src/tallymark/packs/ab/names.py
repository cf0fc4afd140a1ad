"""Names of the ab contract's events and properties, and of its dimensions and funnel."""

from typing import Final

APP_OPEN: Final = "app_open"
LEVEL_START: Final = "level_start"
LEVEL_COMPLETE: Final = "level_complete"
PURCHASE: Final = "purchase"

LEVEL: Final = "level"
PLATFORM: Final = "platform"
APP_VERSION: Final = "appVersion"

#: Dimensions whose keys are `experiment/variant`, and `experiment/variant/event`.
EXPERIMENT_VARIANT: Final = "experiment_variant"
EXPERIMENT_VARIANT_EVENT: Final = "experiment_variant_event"
EXPOSED_VARIANT: Final = "exposed_variant"

CORE_JOURNEY: Final = "core_journey"
