"""Visitors without a cookie: a hash of address and user agent under a salt that lives for a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from tallymark.control.salts import Salts
from tallymark.spec.project import Project
from tallymark.spec.window import today

#: Salts are kept for as long as it may still be their day somewhere, and the day before it.
KEPT = timedelta(days=3)


@dataclass(frozen=True)
class Origins:
    """Hashes of where requests come from. Once a day's salt is gone nothing leads back from its hashes."""

    salts: Salts

    def of(self, project: Project, ip: str, user_agent: str, at: datetime) -> int:
        """The hash of the day in the project's zone that it is; 0 where the address is not known."""
        return self._hash(project, ip, user_agent, at) if ip else 0

    def both(self, project: Project, ip: str, user_agent: str, at: datetime) -> tuple[int, int]:
        """The hash of that day and of the one before, for what happened within 24 hours."""
        return self.of(project, ip, user_agent, at), self.of(project, ip, user_agent, at - timedelta(days=1))

    def _hash(self, project: Project, ip: str, user_agent: str, at: datetime) -> int:
        salt = self.salts.of(today(project.timezone, at))
        person = project.id.to_bytes(16, "little")
        text = f"{ip}\n{user_agent}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=8, key=salt, person=person).digest(), "little") or 1


def visitor(origin: int) -> str:
    """What stands for the visitor id of who gives none."""
    return f"daily:{origin:016x}"
