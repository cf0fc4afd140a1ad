"""What every project has, whatever its packs."""

from tallymark.packs.core.metrics import PACK

__all__ = ["PACK"]
