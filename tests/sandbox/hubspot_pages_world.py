"""A portal with a few companies and a connector's properties in use, as the tests of the pages look at it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot, Option, Property
from adapters.sandbox.hubspot.portal.schema import Group
from adapters.sandbox.hubspot.portal.seed import seed
from adapters.sandbox.pages import HubSpotPages

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOODS = ("Happy", "Mixed", "Unhappy", "Last answer good", "Last answer ok", "Last answer bad", "Too few answers")
OUTCOMES = ("Solved", "Reached, not solved yet", "Not reached", "No action needed")


@dataclass(frozen=True)
class World:
    """The portal, and the records that the tests open."""

    portal: HubSpot
    company: str
    contact: str
    ticket: str
    task: str


def build() -> World:
    portal = HubSpot(SandboxClock(NOW))
    seed(portal, seed=4, accounts=40, now=NOW)
    for kind, specs in _PROPERTIES.items():
        portal.object(kind).groups["afterword"] = Group("afterword", "Afterword")
        for spec in specs:
            portal.new_property(kind, spec)
    ticket = next(row["id"] for row in portal.rows("tickets") if "closed_date" not in row)
    (contact,) = portal.associated("tickets", ticket, "contacts")
    (company,) = portal.associated("tickets", ticket, "companies")
    portal.update("companies", company, _VALUES)
    portal.update("contacts", contact, {"afterword_last_rating": "1 of 5, ticket 1012, 19 Nov 2026"})
    done = {"hs_task_subject": "Call again", "hs_task_status": "COMPLETED", "afterword_outcome": "Not reached"}
    task = portal.insert("tasks", _task(portal, "k1"))
    for each in (task, portal.insert("tasks", _task(portal, "k2") | done)):
        portal.associate("tasks", each, "companies", company)
        portal.associate("tasks", each, "contacts", contact)
    portal.mount_pages(HubSpotPages(portal))
    return World(portal, company, contact, ticket, task)


def _ours(name: str, kind: str, field_type: str, label: str, *options: str) -> Property:
    chosen = tuple(Option(each, each, order) for order, each in enumerate(options))
    return Property(f"afterword_{name}", kind, field_type, label, "afterword", options=chosen)


def _task(portal: HubSpot, key: str) -> dict[str, Any]:
    return {
        "hs_task_subject": "Call Maria by Fri 15:00: 1 of 5, ticket 1012",
        "hs_task_body": "She wrote:<br>“The technician never came.”<br><br>Ticket 1012 &lt;b&gt;&amp; more<script>alert(1)</script>",
        "hs_task_priority": "HIGH",
        "hs_timestamp": "2026-11-20T13:00:00Z",
        "hubspot_owner_id": str(portal.owners.named("Britta Engelmann").id),
        "afterword_key": key,
    }


_PROPERTIES = {
    "companies": (
        _ours("satisfaction", "number", "number", "Satisfaction"),
        _ours("satisfaction_from", "number", "number", "Likely from"),
        _ours("satisfaction_to", "number", "number", "Likely to"),
        _ours("mood", "enumeration", "select", "Customer mood", *MOODS),
        _ours("people", "number", "number", "People who answered"),
        _ours("summary", "string", "text", "What they say"),
        _ours("attention", "string", "text", "Needs attention"),
        _ours("trend", "enumeration", "select", "Trend", "rising", "steady", "falling"),
        _ours("last_answer", "datetime", "date", "Last answer"),
        _ours("details", "string", "text", "Open in Afterword"),
    ),
    "contacts": (_ours("last_rating", "string", "text", "Last rating"),),
    "tasks": (
        _ours("key", "string", "text", "Key"),
        _ours("outcome", "enumeration", "select", "Outcome", *OUTCOMES),
    ),
}
_VALUES = {
    "afterword_satisfaction": 38,
    "afterword_satisfaction_from": 22,
    "afterword_satisfaction_to": 55,
    "afterword_mood": "Unhappy",
    "afterword_people": 4,
    "afterword_summary": "1 of 5 on 19 Nov: “The technician never came.” 4 of 9 asked answered.",
    "afterword_attention": "Maria gave 1 of 5 on ticket 1012, since 19 Nov 2026",
    "afterword_trend": "falling",
    "afterword_last_answer": datetime(2026, 11, 19, 8, 5, tzinfo=UTC),
    "afterword_details": "https://feedback.northwind.example/accounts",
}
