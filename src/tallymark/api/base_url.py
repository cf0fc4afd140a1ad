"""The address by which this server is reached from outside, for links that leave it."""

import re
from typing import Final

from tallymark.api.auth import Call

_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


def base_of(request: Call, trusted_proxies: int) -> str:
    """Scheme and host by which the server is reached: what trusted proxies say, else the request's own."""
    own = str(request.base_url).rstrip("/")
    if not trusted_proxies:
        return own
    scheme, _, host = own.partition("://")
    said = (_forwarded(request, name, trusted_proxies) for name in ("x-forwarded-proto", "x-forwarded-host"))
    proto, outer = said
    return f"{proto if proto in ('http', 'https') else scheme}://{outer if _HOST.fullmatch(outer) else host}"


def _forwarded(request: Call, name: str, trusted_proxies: int) -> str:
    """What the outermost trusted proxy saw."""
    hops = [hop.strip() for hop in request.headers.get(name, "").split(",")]
    return hops[max(0, len(hops) - trusted_proxies)]
