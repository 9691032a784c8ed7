"""Installations keep hashes of their mappings: a file that says the same keeps its hashes over every version."""

from typing import Final, get_args

from mappings.converters import FACTS
from mappings.fields import FactType
from mappings.loading import load

EVERYTHING: Final = """
[owner]
object = "User"
name = ["First__c", { field = "Name", optional = true }]
email = "Email"
active = "IsActive"
standard = { field = "UserType", is = "Standard" }
timezone = { field = "Zone", as = "text" }
manager = "ManagerId"
where = [{ field = "A", above = 1 }, { field = "B", at_most = 2.5 }]
[account]
object = "Account"
name = "Name"
owner = { field = "OwnerId", prefix = "005" }
is_customer = { field = "Type", in = ["Customer", 3, true] }
link = "Website"
[account.facts]
zeta = "Zeta__c"
alpha = { field = "Alpha__c", as = "number", optional = true }
[contact]
object = "Contact"
name = "Name"
account = "AccountId"
email = "Email"
no_surveys = ["OptOut", { field = "Q", empty = false }]
bounced = { field = "Bounced", empty = true }
[interaction.case]
object = "Case"
label = "case {number}"
customer_label = "request {number}"
account = "AccountId"
contact = ["ContactId", { field = "Participants", prefix = "003", optional = true }]
updated = "LastModifiedDate"
updated_by = "LastModifiedById"
ended = { event = "closed", field = "IsClosed", is = true, at = "ClosedDate", and = [{ field = "X", not_in = ["a", "b"] }] }
facts = { number = "CaseNumber" }
[interaction.meeting]
object = "Event"
optional = true
where = true
ended = [
    { event = "held", at = ["End", "Due"], all_day = "AllDay" },
    { event = "moved", field = "At", at_least = 2026-01-01T00:00:00Z, optional = true, at = "At" },
]
[task]
object = "Task"
open = { field = "IsClosed", is_not = true }
closed = "Done"
related = ["case"]
made_by = "CreatedById"
[write.account]
mood = { field = "Mood__c", label = "Mood", type = "picklist", options = ["A", "B"], help = "h", values = { Happy = "A" } }
satisfaction = { field = "Sat__c", label = "Sat", type = "number", precision = 3, scale = 0, own = true }
[write.task]
subject = "Subject"
key = { field = "Key__c", label = "Key", type = "text", length = 80, unique = true }
"""
BY_DEALS: Final = EVERYTHING.replace(
    '{ field = "Type", in = ["Customer", 3, true] }', '{ won_deal_within = "730d" }'
).replace('"moved"', '"won"')


def test_a_mapping_that_says_the_same_is_the_same_to_what_is_stored() -> None:
    assert load(EVERYTHING).identity == "970fd92003a48374e89413b458cb74f2"
    assert load(BY_DEALS).identity == "498e097514dcc4dde579a2b30e8b97de"


def test_what_can_make_history_look_new_is_the_same_to_what_is_stored() -> None:
    assert load(EVERYTHING).triggers == "d3b12211b26a646f2aa7d33e7dae74cb"
    assert load(BY_DEALS).triggers == "62f6701fe5fcb98cfea3c32ff534a428"


def test_a_field_can_be_read_as_each_type_that_facts_have() -> None:
    assert set(get_args(FactType)) == set(FACTS)
