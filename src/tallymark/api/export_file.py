"""`/v1/exports/{id}/file`: the file of an export, for whoever has its link."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Response, get, head
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from tallymark.api.auth import Call
from tallymark.api.base_url import base_of
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.control.exports import Export
from tallymark.errors import Forbidden, Gone, Unavailable
from tallymark.export.files import Span, stored_name
from tallymark.export.formats import extension, media_type
from tallymark.spec.project import Project

_Id = Annotated[str, PathParameter(description="Id of an export.")]
_Expires = Annotated[str, QueryParameter(description="Of the link.")]
_Signature = Annotated[str, QueryParameter(description="Of the link.")]

#: One range of bytes: from a place to another one, from a place on, or so many at the end.
_RANGE: Final = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))", re.ASCII)
_ANYTHING: Final = ResponseSpec(bytes, description="The file, or the part of it that Range names.",
                                media_type="application/octet-stream", generate_examples=False)  # fmt: skip


@get(
    "/{export_id:str}/file",
    summary="Download the file of an export",
    responses={200: _ANYTHING, 206: _ANYTHING, **documented(403, 410, 416, 503)},
)
async def download(request: Call, export_id: _Id, expires: _Expires = "", signature: _Signature = "") -> Stream:
    """The file of a link from `downloadUrl`, which needs no key. `Range` gives a part of it."""
    here = services(request.app.state)
    export, headers = await asyncio.to_thread(_signed, here, export_id, expires, signature)
    span = _span(request, export)
    chunks = await _read(here, export, span)
    size = export.bytes or 0
    first, end = span or (0, size)
    headers["Content-Length"] = str(end - first)
    if span is not None:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return Stream(chunks, headers=headers, status_code=200 if span is None else 206)


@head("/{export_id:str}/file", include_in_schema=False)
async def download_head(
    request: Call, export_id: _Id, expires: _Expires = "", signature: _Signature = ""
) -> Response[None]:
    """What `download` says of the file, without it."""
    here = services(request.app.state)
    export, headers = await asyncio.to_thread(_signed, here, export_id, expires, signature)
    headers["Content-Length"] = str(export.bytes)
    return Response(None, headers=headers, media_type=MediaType.TEXT)


def file_name(export: Export, project: Project) -> str:
    """What the file is called where it is saved, such as `site-metrics-2026-11-01-2026-11-21.csv`."""
    window = export.order.window
    suffix = extension(export.order.format)
    return f"{project.name}-{export.order.table or export.order.what}-{window.first}-{window.last}.{suffix}"


def link_to(request: Call, here: Services, export_id: str, until: datetime) -> str:
    """The link to an export's file, good until then; before the file is there it says that it is being written."""
    expires = int(until.timestamp())
    signature = here.signatures.sign(export_id, expires)
    base = base_of(request, here.settings.trusted_proxies)
    return f"{base}/v1/exports/{export_id}/file?expires={expires}&signature={signature}"


def _signed(here: Services, export_id: str, expires: str, signature: str) -> tuple[Export, dict[str, str]]:
    """The export that a link leads to, and what is said of its file. Errors: `Forbidden`, `Gone`, `Unavailable`."""
    until = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 12 else -1
    if not here.signatures.fits(export_id, until, signature):
        raise Forbidden("This link was not made here, or was changed.", field="signature")
    export = here.exports.get(export_id)
    project = None if export is None else here.projects.get(export.project_id)
    if until > here.now() and export is not None and export.status in ("waiting", "running"):
        raise Unavailable("This file is still being written: ask again in a moment.")
    if until <= here.now() or export is None or project is None or export.status != "done":
        raise Gone("This file is not kept any more: order it again.")
    return export, _headers(export, project)


def _headers(export: Export, project: Project) -> dict[str, str]:
    return {
        "Content-Type": media_type(export.order.format),
        "Content-Disposition": f'attachment; filename="{file_name(export, project)}"',
        "ETag": f'"{export.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _span(request: Call, export: Export) -> Span | None:
    """The bytes that are asked for; None for all of them, as for what is no range or is of another file."""
    found = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    size = export.bytes or 0
    if found is None or request.headers.get("if-range", f'"{export.sha256}"') != f'"{export.sha256}"':
        return None
    first, last, suffix = (None if text is None else int(text) for text in found.groups())
    if first is None:
        first, last = max(0, size - (suffix or 0)), None
    elif last is not None and last < first:
        return None
    end = size if last is None else min(size, last + 1)
    if first >= end:
        told = {"Content-Range": f"bytes */{size}"}
        raise HTTPException(f"The file has {size} bytes.", status_code=416, headers=told)
    return first, end


async def _read(here: Services, export: Export, span: Span | None) -> AsyncIterator[Any]:
    try:
        return await here.files.read(stored_name(export), span)
    except FileNotFoundError:
        raise Gone("This file is not kept any more: order it again.") from None
