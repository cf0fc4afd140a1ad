"""A judge that asks a model over HTTP: once a case, within a time, and with a fault for whatever goes wrong."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from tallymark.spec.evaluation import Case, Failed, Fault, Verdict
from tallymark.spec.evaluator import EvaluatorDraft

#: How the client's error says that an answer ended amid its body.
_CUT: Final = "complete message body"


#: Bytes of an answer: a verdict has a thousandth of it. Compressed ones may become a thousand times as long.
_MOST_BYTES: Final = 8 << 20
_MOST_COMPRESSED: Final = 64 << 10


class _Bounded(httpx2.AsyncByteStream):
    """The bytes of an answer, up to so many."""

    def __init__(self, within: httpx2.AsyncByteStream, most: int) -> None:
        self._within = within
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for part in self._within:
            taken += len(part)
            if taken > self._most:
                raise httpx2.DecodingError("The answer is too long.")
            yield part

    async def aclose(self) -> None:
        await self._within.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Has an answer that is too long end early: memory is everybody's."""
    most = _MOST_COMPRESSED if response.headers.get("Content-Encoding", "identity") != "identity" else _MOST_BYTES
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream, most)


class ModelJudge(ABC):
    """What judges by models have in common: one HTTP client, one deadline, no redirects and no retries.

    `timeout`: seconds for a case, whatever the server does. It belongs to the event loop that it is first used in.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._tls = httpx2.create_ssl_context()
        # Redirects would carry the key to wherever they lead.
        self._http = httpx2.AsyncClient(
            verify=self._tls, timeout=timeout, follow_redirects=False, event_hooks={"response": [_bound]}
        )

    async def judge(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        """The verdict, or why there is none; raises nothing but what cancels it."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(case, draft)
        except TimeoutError:
            return self._late()
        except Exception as error:
            return self._told(error) or self._of_transport(error)

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    @abstractmethod
    async def _ask(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        """Asks and reads; may raise whatever its library raises."""

    @abstractmethod
    def _told(self, error: Exception) -> Failed | None:
        """What an error of its library says that a server told; None for one that didn't come from a server."""

    def _late(self) -> Failed:
        return Failed(Fault.TIMEOUT, f"No answer within {self._timeout:g} seconds.")

    def _of_transport(self, error: Exception) -> Failed:
        """What an error of the connection means, also within one of the library's."""
        within = error if isinstance(error, httpx2.HTTPError) else error.__cause__
        if isinstance(within, httpx2.TimeoutException):
            return self._late()
        if isinstance(within, httpx2.DecodingError) or (isinstance(within, httpx2.HTTPError) and _CUT in str(within)):
            return Failed(Fault.MALFORMED, "The server's answer is broken off, too long, or can't be decoded.")
        if isinstance(within, httpx2.TransportError):
            return Failed(Fault.UNAVAILABLE, f"The server can't be reached ({type(within).__name__}).")
        # Its text may quote the key or the case.
        return Failed(Fault.FAILED, f"Unexpected: {type(error).__name__}.")
