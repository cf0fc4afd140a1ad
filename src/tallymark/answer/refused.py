"""Events that were refused, by day of arrival and reason."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from tallymark.engine.base import Engine


def refused(engine: Engine, project_id: int, first: date, last: date) -> Mapping[date, Counter[str]]:
    """How many events of each reason a project had refused, by the UTC day they arrived on; both ends are included.

    Days without any are left out.
    """
    rows = engine.query(
        "SELECT toUnixTimestamp(toDateTime(day, 'UTC')), reason, sum(n) FROM rejections "
        "WHERE project = {project:UInt32} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY day, reason",
        {"project": project_id, "first": first.isoformat(), "last": last.isoformat()},
    )
    found: dict[date, Counter[str]] = {}
    for seconds, reason, n in rows:
        day = date.fromordinal(_EPOCH + int(seconds) // 86_400)
        found.setdefault(day, Counter())[str(reason)] = int(n)
    return found


_EPOCH = date(1970, 1, 1).toordinal()
