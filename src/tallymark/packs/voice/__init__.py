"""Voice assistants: queries, answers, how good these are and what they cost."""

from tallymark.packs.product import Product
from tallymark.packs.voice.described import described
from tallymark.packs.voice.jobs import jobs
from tallymark.packs.voice.metrics import PACK
from tallymark.packs.voice.routes import routes
from tallymark.packs.voice.smoke import smoke
from tallymark.packs.voice.views import VIEWS

PRODUCT = Product(PACK, routes=routes, jobs=jobs, views=VIEWS, paths=described(), smoke=smoke)

__all__ = ["PACK", "PRODUCT"]
