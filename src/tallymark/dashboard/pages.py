"""The dashboard's routes: the page at `/`, and its files, which a browser keeps for good."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tallymark.api.docs import PAGE_HEADERS
from tallymark.api.rate_limits import UNLIMITED
from tallymark.dashboard.files import Files
from tallymark.errors import NotFound

_PREFIX: Final = "/dashboard"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_LIVING: Final = "no-cache"

_Part = Annotated[str, PathParameter()]


def pages() -> list[HTTPRouteHandler]:
    """The handlers, over the files of this package."""
    files = Files.read()
    base = f"{_PREFIX}/{files.version}"
    html = files.html(base)

    @get("/", media_type=MediaType.HTML, sync_to_thread=False, include_in_schema=False, opt={UNLIMITED: True})
    def dashboard() -> Response[str]:
        """The page."""
        return Response(html, headers={**PAGE_HEADERS, "Cache-Control": _LIVING})

    @get(
        f"{_PREFIX}/{{version:str}}/{{file_path:path}}",
        sync_to_thread=False,
        include_in_schema=False,
        opt={UNLIMITED: True},
    )
    def dashboard_file(request: Request[Any, Any, Any], version: _Part, file_path: _Part) -> Response[bytes]:
        """A file; of another version than this one's it is there as well, but not for good."""
        file = files.by_path.get(file_path.lstrip("/"))
        if file is None:
            raise NotFound("There is no such file.")
        headers = {
            "Cache-Control": _FOR_GOOD if version == files.version else _LIVING,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.content, media_type=file.media_type, headers=headers)
        return Response(file.compressed, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})

    return [dashboard, dashboard_file]
