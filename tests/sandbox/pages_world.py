"""An org with a few companies and a connector's fields in use, as the tests of the pages look at it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.pages import SalesforcePages, show_to_everybody
from adapters.sandbox.salesforce import Field, Salesforce
from adapters.sandbox.salesforce.org.seed import seed

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOODS = ("Happy", "Mixed", "Unhappy", "Last answer good", "Last answer ok", "Last answer bad", "Too few answers")
OUTCOMES = ("Solved", "Reached, not solved yet", "Not reached", "No action needed")
ACCOUNT_FIELDS = (
    Field("Afterword_Satisfaction__c", "double", "Satisfaction", precision=3),
    Field("Afterword_Satisfaction_From__c", "double", "Likely from", precision=3),
    Field("Afterword_Satisfaction_To__c", "double", "Likely to", precision=3),
    Field("Afterword_Mood__c", "picklist", "Customer mood", length=255, values=MOODS),
    Field("Afterword_People__c", "double", "People who answered", precision=9),
    Field("Afterword_Summary__c", "string", "What they say", length=255),
    Field("Afterword_Attention__c", "string", "Needs attention", length=255),
    Field("Afterword_Trend__c", "picklist", "Trend", length=255, values=("rising", "steady", "falling")),
    Field("Afterword_Last_Answer__c", "datetime", "Last answer"),
    Field("Afterword_Details__c", "url", "Open in Afterword", length=255),
)
TASK_FIELDS = (
    Field("Afterword_Key__c", "string", "Key", length=80, unique=True, external_id=True),
    Field("Afterword_Outcome__c", "picklist", "Outcome", length=255, values=OUTCOMES, restricted=True),
)


@dataclass(frozen=True)
class World:
    """The org, and the records that the tests open."""

    org: Salesforce
    account: str
    contact: str
    task: str


def build(*, visible: bool = True) -> World:
    org = Salesforce(SandboxClock(NOW))
    seed(org, seed=4, accounts=40, now=NOW)
    for entity, fields in (("Account", ACCOUNT_FIELDS), ("Activity", TASK_FIELDS)):
        for field in fields:
            org.new_field(entity, field)
    org.new_field("Contact", Field("Afterword_Last_Rating__c", "string", "Last rating", length=255))
    if visible:
        show_to_everybody(org, "Afterword_")
    open_case = next(row for row in org.rows("Case") if not row["IsClosed"])
    account, contact = open_case["AccountId"], open_case["ContactId"]
    org.update("Account", account, _values())
    org.update("Contact", contact, {"Afterword_Last_Rating__c": "1 of 5, case 00001012, 19 Nov 2026"})
    task = org.insert("Task", _task(org, account, contact))
    done = {"Subject": "Call again", "Status": "Completed", "Priority": "Normal", "Afterword_Outcome__c": "Not reached"}
    org.insert("Task", _task(org, account, contact) | done | {"Afterword_Key__c": "k2"})
    return World(org, account, contact, task)


def pages(world: World) -> Salesforce:
    """The org with its pages mounted."""
    world.org.mount_pages(SalesforcePages(world.org))
    return world.org


def _values() -> dict[str, object]:
    return {
        "Afterword_Satisfaction__c": 38,
        "Afterword_Satisfaction_From__c": 22,
        "Afterword_Satisfaction_To__c": 55,
        "Afterword_Mood__c": "Unhappy",
        "Afterword_People__c": 4,
        "Afterword_Summary__c": "1 of 5 on 19 Nov: “The technician never came.” 4 of 9 asked answered.",
        "Afterword_Attention__c": "Maria gave 1 of 5 on case 00001012, since 19 Nov 2026",
        "Afterword_Trend__c": "falling",
        "Afterword_Last_Answer__c": datetime(2026, 11, 19, 8, 5, tzinfo=UTC),
        "Afterword_Details__c": "https://feedback.northwind.example/accounts",
    }


def _task(org: Salesforce, account: str, contact: str) -> dict[str, object]:
    owner = org.rows("User", Name="Britta Engelmann")[0]["Id"]
    return {
        "Subject": "Call Maria by Fri 15:00: 1 of 5, case 00001012",
        "Description": "She wrote:\n“The technician never came.”\n\nCase 00001012 <b>& more</b>",
        "Priority": "High",
        "ActivityDate": "2026-11-20",
        "WhatId": account,
        "WhoId": contact,
        "OwnerId": owner,
        "Afterword_Key__c": "k1",
    }
