"""The packs there are. A pack is a product: what it declares and the contract it keeps."""

from tallymark.packs import core, web
from tallymark.spec.pack import Pack

BUILTIN: tuple[Pack, ...] = (core.PACK, web.PACK)
