"""What the web pack does by the clock."""

from collections.abc import Sequence

from tallymark.api.services import Services
from tallymark.packs.leads.outbox import Outbox
from tallymark.packs.product import Job
from tallymark.packs.web.linking import link


def jobs(here: Services) -> Sequence[Job]:
    """Each with every how many seconds."""
    return [
        ("outbox", Outbox(here).write_pending, 60),
        ("link people", lambda: link(here), 600),
    ]
