"""The web pack's smoke test: a page view and a lead show in the summary, and the visitor is deleted again."""

from tallymark.spec.smoke import SMOKE, Call, Growth, Smoke, Step, Trial


def smoke(trial: Trial) -> Smoke:
    """The test."""
    to, email = {"propertyId": trial.project}, f"{trial.actor}@example.org"
    return Smoke(
        prepare=(_refresh(trial),),
        samples=(
            Step("a page view is taken, twice", Call("POST", "/web/v1/events", to, _view(trial)), (202,),
                 {"ok": True, "accepted": 1, "rejected": []}, times=2),
            Step("a lead is captured", Call("POST", "/web/v1/leads/capture", to, _form(trial, email)), (201,),
                 {"ok": True, "new": True}),
        ),
        shown=(_summary(trial),),
        tidy=(
            Step("the visitor is deleted again", Call("POST", "/web/v1/leads/delete", to, {"email": email}),
                 says={"ok": True, "deleted.leads": 1}),
        ),
    )  # fmt: skip


def _refresh(trial: Trial) -> Step:
    """Whoever the test before deleted is out of the numbers, or these would not grow."""
    return Step("days are refreshed", Call("POST", "/v1/rollup/run", {"project": trial.project, "job": "daily"}))


def _view(trial: Trial) -> dict[str, object]:
    return {
        "eventType": "page_view",
        "eventId": f"{trial.actor}-view",
        "occurredAt": trial.at,
        "visitorId": trial.actor,
        "url": f"https://{SMOKE}.example/{SMOKE}",
        "properties": trial.marks,
    }


def _form(trial: Trial, email: str) -> dict[str, str]:
    return {"email": email, "form": SMOKE, "submissionId": trial.id, "visitorId": trial.actor, **trial.marks}


def _summary(trial: Trial) -> Growth:
    day = trial.day.isoformat()
    call = Call("GET", "/web/v1/metrics/summary", {"propertyId": trial.project, "from": day, "to": day})
    grown = {"metrics.totalPageViews.value": 1, "metrics.uniqueVisitors.value": 1, "trend.0.newLeads": 1}
    return Growth("the summary shows both", call, grown, shared=True)
