"""What every project has, whatever its packs."""

from tallymark.packs.core.metrics import PACK
from tallymark.packs.core.smoke import smoke
from tallymark.packs.product import Product

PRODUCT = Product(PACK, smoke=smoke)

__all__ = ["PACK", "PRODUCT"]
