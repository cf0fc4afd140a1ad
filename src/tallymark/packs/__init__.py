"""The packs there are. A pack is a product: what it declares and the contract it keeps."""

from collections.abc import Mapping

from tallymark.packs import ab, core, quiz, sdk, voice, web
from tallymark.packs.day_columns import NAME, every_day
from tallymark.packs.product import Product
from tallymark.spec.pack import Pack

PRODUCTS: tuple[Product, ...] = (core.PRODUCT, sdk.PRODUCT, web.PRODUCT, ab.PRODUCT, voice.PRODUCT, quiz.PRODUCT)

BUILTIN: tuple[Pack, ...] = tuple(product.pack for product in PRODUCTS)

#: The engine's views by name, as `SELECT` statements: those of each pack, and the one that packs share.
VIEWS: Mapping[str, str] = {
    **{name: sql for product in PRODUCTS for name, sql in product.views.items()},
    NAME: every_day([product.days for product in PRODUCTS if product.days is not None]),
}
