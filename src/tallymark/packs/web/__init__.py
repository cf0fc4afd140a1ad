"""Web traffic, forms and leads."""

from tallymark.packs.product import Product
from tallymark.packs.web.metrics import PACK

PRODUCT = Product(PACK)

__all__ = ["PACK", "PRODUCT"]
