"""A project that SDKs send counters to, and what these add up to by plain Python.

The time is in 2028: for the engine, whose clock is its own, nothing there has expired yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tallymark.api.services import Services
from tests.packs.world import ADMIN, Application, bearer

#: Noon of a leap day.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)

REPORTING = "the-reporting-key"


def payload(
    metrics: Mapping[str, Any], app: str | None = "app-1", at: datetime = NOON, network: str = "devnet", **more: Any
) -> dict[str, Any]:
    """A body as SDKs send it; without an app where that is None."""
    body = {"sdkVersion": "0.3.0", "network": network, "timestamp": round(at.timestamp() * 1000), "metrics": metrics}
    return {**body, **({} if app is None else {"appIdHash": app}), **more}


@dataclass
class Apps:
    """A project with the pack sdk."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    def fresh(self, **fields: Any) -> "Apps":
        """Another project; the clock is at noon again."""
        self.application.clock.now = NOON
        return Apps(self.application, *self.application.make("sdk", **fields))

    def post(self, body: Any, key: str | None = None, **params: Any) -> httpx.Response:
        """Sends a body to the project."""
        headers = bearer(key) if key else {}
        return self.application.client.post(
            "/sdk/api/v1/events", json=body, params={"project": self.name, **params}, headers=headers
        )

    def send(self, *bodies: Mapping[str, Any]) -> None:
        """Sends payloads that are taken as they are, each when it says, and computes their days."""
        for body in bodies:
            self.application.clock.now = max(self.application.clock.now, _at(body))
            answer = self.post(body)
            assert (answer.status_code, answer.json()) == (200, {"success": True}), answer.text
        self.application.settle(self.name)

    def get(self, path: str, key: str | None = ADMIN, **params: Any) -> httpx.Response:
        """A request below `/sdk`; what is None is left out."""
        named = {name: value for name, value in {"project": self.name, **params}.items() if value is not None}
        return self.application.client.get(f"/sdk{path}", params=named, headers={"x-api-key": key} if key else {})

    def metrics(self, period: str, date: str, network: str | None = None) -> dict[str, tuple[float, int]]:
        """Values and numbers of apps by counter, as they are told."""
        answer = self.get("/api/v1/metrics", key=None, period=period, date=date, network=network)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["period"], told["date"], told["network"]) == (period, date, network or "all")
        return {name: (each["value"], each["uniqueApps"]) for name, each in told["metrics"].items()}

    def refused(self) -> dict[str, int]:
        """How many refusals were counted, by reason."""
        self.here.receiver.counts.flush()
        rows = self.here.engine.query(
            "SELECT reason, sum(n) FROM rejections WHERE project = {project:UInt32} GROUP BY reason",
            {"project": self.application.project(self.name).id},
        )
        return {reason: int(n) for reason, n in rows}

    def stored(self) -> Sequence[Sequence[Any]]:
        """Name, value, network and version of what is stored, in order."""
        return self.here.engine.query(
            "SELECT event, value, toString(props.network), toString(props.sdkVersion) FROM events FINAL "
            "WHERE project = {project:UInt32} ORDER BY event, value",
            {"project": self.application.project(self.name).id},
        )


def expected(
    bodies: Iterable[Mapping[str, Any]], prefix: str, network: str | None = None
) -> dict[str, tuple[float, int]]:
    """The oracle: sums and numbers of apps by counter, of the payloads of days that begin with a text."""
    sums: dict[str, float] = {}
    apps: dict[str, set[str]] = {}
    for body in bodies:
        if not _at(body).strftime("%Y-%m-%d").startswith(prefix) or network not in (None, body["network"]):
            continue
        for name, value in body["metrics"].items():
            sums[name] = sums.get(name, 0) + value
            apps.setdefault(name, set()).update({body["appIdHash"]} if "appIdHash" in body else set())
    return {name: (sums[name], len(apps[name])) for name in sorted(sums)}


def _at(body: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(body["timestamp"] / 1000, UTC)
