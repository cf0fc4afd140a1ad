"""Privacy-safe counters of applications, and monthly reports."""

from tallymark.packs.product import Product
from tallymark.packs.sdk.described import described
from tallymark.packs.sdk.jobs import jobs
from tallymark.packs.sdk.metrics import PACK
from tallymark.packs.sdk.routes import routes
from tallymark.packs.sdk.smoke import smoke
from tallymark.packs.sdk.views import VIEWS

PRODUCT = Product(PACK, routes=routes, jobs=jobs, views=VIEWS, paths=described(), smoke=smoke)

__all__ = ["PACK", "PRODUCT"]
