"""What every project has, whatever its packs."""

from tallymark.packs.core.metrics import PACK
from tallymark.packs.product import Product

PRODUCT = Product(PACK)

__all__ = ["PACK", "PRODUCT"]
