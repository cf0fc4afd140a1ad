"""A batch as an HTTP request: address, headers, compression, signature."""

import gzip
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from tallymark import __version__
from tallymark.client.options import Options
from tallymark.client.queue import Batch

#: Bytes below which compression gains nothing.
_SMALL = 1_000

#: The fastest: events compress to a fifth by it, and the sender is a guest in its process.
_LEVEL = 1


@dataclass(frozen=True)
class Request:
    """A POST: `body` is sent, `plain` is what it is without compression, and what is signed."""

    url: httpx.URL
    body: bytes
    plain: bytes
    headers: Mapping[str, str]

    def signed(self, secret: str | None, now: int) -> dict[str, str]:
        """The headers, with a signature of `now`, in epoch seconds, if there is a secret."""
        if secret is None:
            return dict(self.headers)
        said = f"{now}.POST {self.url.raw_path.decode('ascii')}.".encode() + self.plain
        tag = hmac.new(secret.encode(), said, "sha256").hexdigest()
        return {**self.headers, "X-Tallymark-Signature": f"t={now},v1={tag}"}


def request_of(batch: Batch, options: Options) -> Request:
    """The request that carries a batch."""
    url = httpx.URL(options.endpoint + batch.lane.path)
    if options.project is not None:
        url = url.copy_with(params={batch.lane.project: options.project})
    headers = {"Content-Type": "application/json", "User-Agent": f"Tallymark/{__version__}"}
    if options.key is not None:
        headers["Authorization"] = f"Bearer {options.key}"
    plain = batch.lane.body(batch.payloads)
    if len(plain) <= _SMALL:
        return Request(url, plain, plain, headers)
    return Request(url, gzip.compress(plain, _LEVEL), plain, {**headers, "Content-Encoding": "gzip"})
