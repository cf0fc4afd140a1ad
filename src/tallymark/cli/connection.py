"""The way from a command to the API: a server somewhere, the one on this machine, or the application itself.

While a server runs it owns the data directory and says so in its `server.json`; commands then go through it.
Without one the same application runs inside the command.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from litestar import Litestar

from tallymark.access.keys import local_key
from tallymark.cli.inprocess import InProcess
from tallymark.config import Settings, load
from tallymark.errors import TallymarkError, Unavailable

Build = Callable[[Settings], Litestar]

_SERVER_FILE = "server.json"
_SECONDS = 300.0
_HEALTH_SECONDS = 2.0


class Refused(TallymarkError):
    """The server understood and said no; `code` and `status` are what it answered."""

    def __init__(self, response: httpx.Response) -> None:
        detail = _error_of(response)
        message = str(detail.get("message", f"The server answered {response.status_code}."))
        super().__init__(message, allowed=detail.get("allowed"), field=detail.get("field"))
        self.status = response.status_code
        self.code = str(detail.get("code", "unknown"))


class Unreachable(Unavailable):
    """Nothing answers where the server should be."""

    code = "unreachable"


class Connection:
    """Requests to the API. A context manager; what it has started ends with it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @property
    def url(self) -> str:
        """Where requests go."""
        return str(self._client.base_url).rstrip("/")

    def get(self, path: str, *, params: dict[str, Any] | None = None) -> Any:
        """What the API answers: JSON decoded, text, or bytes. Errors: `Refused`, `Unreachable`."""
        return self._ask("GET", path, params=params)

    def post(
        self,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: object = None,
        content: bytes | None = None,
    ) -> Any:
        """As `get`; `json` is encoded, `content` is sent as it is."""
        return self._ask("POST", path, params=params, json=json, content=content)

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The response, whatever its status, to what `httpx` sends so. Errors: `Unreachable`."""
        try:
            return self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise Unreachable(f"Nothing answers at {self._client.base_url}: {error}") from error

    def stream(self, method: str, path: str, *, params: dict[str, Any] | None = None) -> Iterator[str]:
        """The lines of an answer as they come. Errors: `Refused`, `Unreachable`."""
        try:
            with self._client.stream(method, path, params=params) as response:
                if not response.is_success:
                    response.read()
                    raise Refused(response)
                yield from response.iter_lines()
        except httpx.TransportError as error:
            raise Unreachable(f"Nothing answers at {self._client.base_url}: {error}") from error

    def part(self, path: str, first: int, end: int) -> bytes:
        """The bytes of a file from `first` on, before `end`. Errors: `Refused`, `Unreachable`."""
        return self._response("GET", path, headers={"Range": f"bytes={first}-{end - 1}"}).content

    def put(self, path: str, *, params: dict[str, Any] | None = None, json: object) -> Any:
        """As `get`."""
        return self._ask("PUT", path, params=params, json=json)

    def patch(self, path: str, *, params: dict[str, Any] | None = None, json: object) -> Any:
        """As `get`."""
        return self._ask("PATCH", path, params=params, json=json)

    def delete(self, path: str, *, params: dict[str, Any] | None = None) -> Any:
        """As `get`."""
        return self._ask("DELETE", path, params=params)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        return _content(self._response(method, path, **request))

    def _response(self, method: str, path: str, **request: Any) -> httpx.Response:
        response = self.send(method, path, **request)
        if not response.is_success:
            raise Refused(response)
        return response


@dataclass(frozen=True)
class Start:
    """What commands begin with: the options before the command's name, and what builds the application."""

    build: Build
    options: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings:
        """The settings under these options. Errors: `BadSetting`."""
        return load(**self.options)

    def connect(self) -> Connection:
        """A connection for these settings."""
        return connect(self.settings(), self.build)


def connect(settings: Settings, build: Build) -> Connection:
    """A connection to the endpoint of the settings, or to this machine's server, or to a new application."""
    served = connect_to_server(settings)
    if served is not None:
        return served
    key = settings.key or local_key(settings.data)
    return Connection(_client("http://localhost", key, transport=InProcess(build(settings))))


def connect_to_server(settings: Settings, seconds: float = _SECONDS) -> Connection | None:
    """A connection to the endpoint of the settings, or to this machine's server; None where none is running.

    An answer may take so many `seconds`.
    """
    if settings.endpoint:
        return Connection(_client(settings.endpoint, settings.key, timeout=seconds))
    url = running_server(settings.data)
    if url is None:
        return None
    key = settings.key or local_key(settings.data)
    return Connection(_client(url, key, timeout=seconds, trust_env=False))


@contextmanager
def announce(data: Path, url: str) -> Iterator[None]:
    """Says, while the block runs, that this process serves the data directory at a URL."""
    path = data / _SERVER_FILE
    draft = path.with_name(f".{_SERVER_FILE}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"pid": os.getpid(), "url": url}, file)
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_server(data: Path) -> str | None:
    """The URL of the server that owns the data directory; None without one that lives and answers."""
    try:
        said = json.loads((data / _SERVER_FILE).read_text(encoding="utf-8"))
        pid, url = int(said["pid"]), str(said["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _alive(pid) and _healthy(url) else None


def _client(url: str, key: str, timeout: float = _SECONDS, **options: Any) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=url, headers=headers, timeout=timeout, **options)


def _content(response: httpx.Response) -> Any:
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        return response.json()
    return response.text if kind.startswith("text/") else response.content


def _error_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):  # the web contract has the error's code there, and the rest beside it
        return {**body, "code": error}
    return error if isinstance(error, dict) else {}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=_HEALTH_SECONDS, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
