"""Experiments of applications: assignment, results that can be trusted, funnels."""

from tallymark.packs.ab.described import described
from tallymark.packs.ab.exposures import jobs
from tallymark.packs.ab.metrics import PACK
from tallymark.packs.ab.participation import enrichments
from tallymark.packs.ab.routes import routes
from tallymark.packs.ab.smoke import smoke
from tallymark.packs.ab.views import DAY_COLUMNS, VIEWS
from tallymark.packs.product import Product

PRODUCT = Product(PACK, routes=routes, jobs=jobs, paths=described(), enrichments=enrichments, views=VIEWS,
                  days=DAY_COLUMNS, smoke=smoke)  # fmt: skip

__all__ = ["PACK", "PRODUCT"]
