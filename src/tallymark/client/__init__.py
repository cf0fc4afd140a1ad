"""Sends events to a Tallymark server, from threads (`Client`) or from asyncio (`AsyncClient`).

    with Client("https://metrics.example", key="tm_ingest_…") as metrics:
        metrics.track("order", actor="u-9", value=49.5)

Needs httpx and msgspec and nothing else of the server.
"""

from tallymark.client.async_client import AsyncClient
from tallymark.client.problem import Problem
from tallymark.client.stats import Stats
from tallymark.client.sync_client import Client

__all__ = ["AsyncClient", "Client", "Problem", "Stats"]
