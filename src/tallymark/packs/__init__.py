"""The packs there are. A pack is a product: what it declares and the contract it keeps."""

from tallymark.packs import ab, core, sdk, web
from tallymark.packs.product import Product
from tallymark.spec.pack import Pack

PRODUCTS: tuple[Product, ...] = (core.PRODUCT, sdk.PRODUCT, web.PRODUCT, ab.PRODUCT)

BUILTIN: tuple[Pack, ...] = tuple(product.pack for product in PRODUCTS)
