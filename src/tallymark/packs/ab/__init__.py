"""Experiments of applications: assignment, results that can be trusted, funnels."""

from tallymark.packs.ab.metrics import PACK
from tallymark.packs.ab.routes import routes
from tallymark.packs.product import Product

PRODUCT = Product(PACK, routes=routes)

__all__ = ["PACK", "PRODUCT"]
