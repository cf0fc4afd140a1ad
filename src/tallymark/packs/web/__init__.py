"""Web traffic, forms and leads."""

from tallymark.packs.product import Product
from tallymark.packs.web.described import described
from tallymark.packs.web.jobs import jobs
from tallymark.packs.web.metrics import PACK
from tallymark.packs.web.routes import routes
from tallymark.packs.web.smoke import smoke
from tallymark.packs.web.views import DAY_COLUMNS, VIEWS

PRODUCT = Product(PACK, routes=routes, jobs=jobs, views=VIEWS, days=DAY_COLUMNS, paths=described(), smoke=smoke)

__all__ = ["PACK", "PRODUCT"]
