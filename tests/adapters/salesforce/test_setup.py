"""An org is set up once, completely, and only what was made is taken away."""

import re
from dataclasses import replace
from typing import Any

import pytest

from adapters.salesforce import layouts
from adapters.salesforce.crm_adapter import SalesforceAdapter
from adapters.salesforce.custom_fields import metadata
from adapters.salesforce.setup_steps import visibility_step
from connector.errors import Bug, Locked, NotPermitted
from connector.ports import AdminToken, FieldSpec, SetupResult, SetupStep
from tests.adapters.salesforce.conftest import Connect, SteppingClock, Wire

MOOD = FieldSpec("Account", "Mood__c", "Customer mood", "picklist", options=("Happy", "Unhappy"))
KEY = FieldSpec("Task", "Key__c", "Key", "text", length=64, unique=True)
ME = "005000000000001AAA"
SET = "0PS000000000001AAA"
LAYOUT = "00h000000000001AAA"
TOOLING = "tooling/query"
USERINFO = "/services/oauth2/userinfo"
NOTHING: dict[str, Any] = {"totalSize": 0, "done": True, "records": []}


def found(*rows: dict[str, Any]) -> dict[str, Any]:
    return NOTHING | {"records": list(rows)}


def an_empty_org(wire: Wire, *, layout: bool = True) -> None:
    wire.describe("Account")
    wire.describe("Task")
    wire.answer("GET", USERINFO, {"user_id": ME, "preferred_username": "bot@acme.example"})
    wire.rows(resource="query")  # no permission set
    wire.answer("GET", TOOLING, NOTHING)  # hidden fields of Account
    wire.answer("GET", TOOLING, NOTHING)  # hidden fields of Activity
    if layout:
        wire.answer("GET", TOOLING, found({"Id": LAYOUT, "Name": "Support"}))
        wire.answer("GET", f"tooling/sobjects/Layout/{LAYOUT}", {"Metadata": {"layoutSections": []}})
    else:
        wire.refuse("GET", TOOLING, "INVALID_TYPE", "sObject type 'Layout' is not supported.")
    wire.answer("GET", TOOLING, NOTHING)  # Lightning pages of Account


def test_an_empty_org_needs_everything_in_order(crm: SalesforceAdapter, wire: Wire) -> None:
    an_empty_org(wire)
    assert [step.key for step in crm.plan_setup([MOOD, KEY])] == [
        "field:Account.Mood__c",
        "field:Activity.Key__c",
        "permission_set:Afterword",
        "permission:Account.Mood__c",
        "permission:Task.Key__c",
        "assignment:Afterword",
        f"layout:Account:{LAYOUT}",
        "visibility:Account",
    ]


def test_a_layout_out_of_reach_is_a_click_path(crm: SalesforceAdapter, wire: Wire) -> None:
    an_empty_org(wire, layout=False)
    step, visibility = [step for step in crm.plan_setup([MOOD, KEY]) if step.manual]
    assert (step.key, visibility.key) == ("layout:Account", "visibility:Account")
    assert "Object Manager > Account > Page Layouts" in step.sentence
    assert [result.done for result in crm.apply_setup([step])] == [False]


def test_an_org_that_is_set_up_needs_nothing(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.describe("Account", "Mood__c")
    wire.describe("Task", "Key__c")
    wire.answer("GET", USERINFO, {"user_id": ME})
    wire.rows({"Id": SET}, resource="query")
    wire.rows({"Id": "0Pa000000000001AAA"}, resource="query")
    wire.answer("GET", TOOLING, found({"Id": LAYOUT, "Name": "Support"}))
    shown = {"layoutSections": [{"layoutColumns": [{"layoutItems": [{"field": "Mood__c"}]}]}]}
    wire.answer("GET", f"tooling/sobjects/Layout/{LAYOUT}", {"Metadata": shown})
    wire.answer("GET", TOOLING, NOTHING)
    assert crm.plan_setup([MOOD, KEY]) == []


def test_f49_a_field_that_is_there_but_hidden_is_permitted_and_not_made(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.describe("Account")
    wire.answer("GET", USERINFO, {"user_id": ME})
    wire.rows({"Id": SET}, resource="query")
    wire.answer("GET", TOOLING, found({"DeveloperName": "Mood"}))
    wire.rows(resource="query")  # not assigned
    wire.answer("GET", TOOLING, NOTHING)  # layouts
    wire.answer("GET", TOOLING, NOTHING)  # Lightning pages
    keys = [step.key for step in crm.plan_setup([MOOD])]
    assert keys == ["permission:Account.Mood__c", "assignment:Afterword"]


def test_what_a_custom_object_has_is_asked_for_by_its_name(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.describe("Client__c")
    wire.answer("GET", USERINFO, {"user_id": ME})
    wire.rows({"Id": SET}, resource="query")
    wire.answer("GET", TOOLING, found({"DeveloperName": "Mood"}))
    wire.rows({"Id": "0Pa000000000001AAA"}, resource="query")
    wire.answer("GET", TOOLING, NOTHING)  # layouts
    wire.answer("GET", TOOLING, NOTHING)  # Lightning pages
    crm.plan_setup([replace(MOOD, object="Client__c")])
    tooling = [text for text in wire.queries if re.search("FROM (CustomField|Layout|FlexiPage)", text)]
    # TableEnumOrId and EntityDefinitionId hold a custom object's id, and the name of a standard one.
    assert ["EntityDefinition.QualifiedApiName = 'Client__c'" in text for text in tooling] == [True] * 3


def an_admin_at_work(connect: Connect, wire: Wire) -> SalesforceAdapter:
    """Act as an admin in an org with our permission set, which grants our field to whoever has it."""
    crm = connect(admin=AdminToken("00Dx!secret", "bot@acme.example"))
    wire.describe("Account")
    wire.answer("GET", USERINFO, {"user_id": "005000000000009AAA", "preferred_username": "admin@acme.example"})
    wire.rows({"Id": ME}, resource="query")
    wire.rows({"Id": SET}, resource="query")
    wire.answer("GET", TOOLING, found({"DeveloperName": "Mood"}))
    wire.rows({"Id": "01k000000000001AAA", "Field": "Account.Mood__c"}, resource="query")
    return crm


def test_an_admin_sets_up_for_the_integration_user(connect: Connect, wire: Wire) -> None:
    crm = an_admin_at_work(connect, wire)
    wire.rows({"Id": "0Pa000000000001AAA"}, resource="query")
    wire.answer("GET", TOOLING, NOTHING)  # layouts
    wire.answer("GET", TOOLING, NOTHING)  # Lightning pages
    assert crm.plan_setup([MOOD]) == []
    assert "Username = 'bot@acme.example'" in wire.queries[0]
    assert f"AssigneeId = '{ME}'" in wire.queries[4]


def test_an_assignment_that_an_admins_set_up_did_not_come_to_is_made_by_the_next(connect: Connect, wire: Wire) -> None:
    crm = an_admin_at_work(connect, wire)
    wire.rows(resource="query")  # everything is granted, to a permission set that nobody has
    wire.answer("GET", TOOLING, NOTHING)  # layouts
    wire.answer("GET", TOOLING, NOTHING)  # Lightning pages
    assert [step.key for step in crm.plan_setup([MOOD])] == ["assignment:Afterword"]


def test_what_is_made_can_be_taken_away_and_nothing_else(crm: SalesforceAdapter, wire: Wire) -> None:
    an_empty_org(wire)
    steps = crm.plan_setup([MOOD, KEY])
    made = "tooling/sobjects/CustomField"
    wire.answer("POST", made, {"id": "00N000000000001AAA", "success": True}, status=201)
    wire.refuse("POST", made, "DUPLICATE_DEVELOPER_NAME", "There is already a field named Key on Activity.")
    wire.answer("POST", "sobjects/PermissionSet", {"id": SET, "success": True}, status=201)
    for name in ("1", "2"):
        wire.rows({"Id": SET}, resource="query")
        wire.rows(resource="query")
        answer = {"id": f"01k00000000000{name}AAA", "success": True}
        wire.answer("POST", "sobjects/FieldPermissions", answer, status=201)
    wire.rows({"Id": SET}, resource="query")
    wire.refuse("POST", "sobjects/PermissionSetAssignment", "INSUFFICIENT_ACCESS", "no", status=403)
    wire.answer("GET", f"tooling/sobjects/Layout/{LAYOUT}", {"Metadata": {"layoutSections": []}})
    wire.answer("PATCH", f"tooling/sobjects/Layout/{LAYOUT}", "", status=204)

    results = list(crm.apply_setup(steps))
    assert [result.done for result in results] == [True, True, True, True, True, False, True, False]
    assert isinstance(results[5].error, NotPermitted)
    assert "permission set" not in results[5].error.remedy
    assert "administrator" in results[5].error.remedy
    undo = crm.plan_undo(results)
    assert [step.sentence for step in undo] == [
        "No longer show Customer mood on the Account page layout “Support”.",
        "No longer let the permission set read and edit Task.Key__c.",
        "No longer let the permission set read and edit Account.Mood__c.",
        "Remove the permission set Afterword.",
        "Remove the field “Customer mood” (Account.Mood__c).",
    ]
    assert [step.key for step in undo] == [
        f"remove:layout:Account:{LAYOUT}",
        "remove:permission:Task.Key__c",
        "remove:permission:Account.Mood__c",
        "remove:permission_set:Afterword",
        "remove:field:Account.Mood__c",
    ]


MAKE_SET = SetupStep("permission_set:Afterword", "Make it.", detail={"action": "permission_set"})


def test_f34_a_step_that_meets_a_lock_is_taken_again(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock) -> None:
    for _ in range(2):
        wire.refuse("POST", "sobjects/PermissionSet", "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
    wire.answer("POST", "sobjects/PermissionSet", {"id": SET, "success": True}, status=201)
    (result,) = crm.apply_setup([MAKE_SET])
    assert result.done
    assert len(clock.naps) == 2


def test_f34_of_a_step_that_stays_locked_the_admin_hears_what_to_do(crm: SalesforceAdapter, wire: Wire) -> None:
    for _ in range(3):
        wire.refuse("POST", "sobjects/PermissionSet", "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
    (result,) = crm.apply_setup([MAKE_SET])
    assert isinstance(result.error, Locked)
    assert "lap" not in result.error.remedy
    assert "again" in result.error.remedy


def test_a_layout_that_is_not_shown_whole_is_left_alone(crm: SalesforceAdapter, wire: Wire) -> None:
    detail = {"action": "place", "layout": LAYOUT, "fields": ["Mood__c"]}
    wire.answer("GET", f"tooling/sobjects/Layout/{LAYOUT}", {"Metadata": None})
    (result,) = crm.apply_setup([SetupStep("layout", "Show it.", detail=detail)])
    assert isinstance(result.error, NotPermitted)


def test_removing_what_is_gone_counts_as_done(crm: SalesforceAdapter, wire: Wire) -> None:
    path = "tooling/sobjects/CustomField/00N000000000001AAA"
    step = SetupStep("field:Account.Mood__c", "Make it.")
    made = SetupResult(step, done=True, detail={"undo": {"action": "delete", "path": path}})
    wire.refuse("DELETE", path, "NOT_FOUND", "The requested resource does not exist", status=404)
    (result,) = crm.apply_setup(crm.plan_undo([made]))
    assert result.done
    assert result.error is None


def test_a_layout_that_is_gone_shows_nothing_any_more(crm: SalesforceAdapter, wire: Wire) -> None:
    undo = {"action": "unplace", "layout": LAYOUT, "fields": ["Mood__c"]}
    made = SetupResult(SetupStep(f"layout:Account:{LAYOUT}", "Show it."), done=True, detail={"undo": undo})
    path = f"tooling/sobjects/Layout/{LAYOUT}"
    wire.refuse("GET", path, "NOT_FOUND", "The requested resource does not exist", status=404)
    (result,) = crm.apply_setup(crm.plan_undo([made]))
    assert (result.done, result.error) == (True, None)


def test_a_layout_gains_and_loses_our_section_alone() -> None:
    theirs = {"label": "Theirs", "layoutColumns": [{"layoutItems": [{"field": "Name"}]}]}
    before = {"showEmailCheckbox": False, "layoutSections": [theirs]}
    after = layouts.with_fields(before, ["A__c", "B__c", "C__c"])
    assert layouts.fields_on(after) == {"Name", "A__c", "B__c", "C__c"}
    assert layouts.without_fields(after, ["A__c", "B__c", "C__c"]) == before


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (KEY, {"type": "Text", "length": 64, "unique": True, "externalId": True, "caseSensitive": False}),
        (FieldSpec("A", "N", "l", "text", length=1000), {"type": "LongTextArea", "length": 1000, "visibleLines": 4}),
        (FieldSpec("A", "N", "l", "number", precision=3, scale=0), {"type": "Number", "precision": 3, "scale": 0}),
        (FieldSpec("A", "N", "l", "boolean"), {"type": "Checkbox", "defaultValue": "false"}),
        (FieldSpec("A", "N", "l", "datetime"), {"type": "DateTime"}),
    ],
)
def test_a_field_is_defined_by_its_type(spec: FieldSpec, expected: dict[str, Any]) -> None:
    assert metadata(spec) == {"label": spec.label} | expected


def test_a_picklist_takes_only_its_options() -> None:
    made = metadata(MOOD)["valueSet"]
    assert made["restricted"] is True
    assert [value["fullName"] for value in made["valueSetDefinition"]["value"]] == ["Happy", "Unhappy"]


def test_a_type_that_cannot_be_made_is_our_own_fault() -> None:
    with pytest.raises(Bug):
        metadata(FieldSpec("A", "N", "l", "reference"))


def test_people_are_given_the_right_to_edit_what_they_fill_in() -> None:
    outcome = replace(MOOD, name="Afterword_Outcome__c", label="Outcome", edited=True)
    both = visibility_step("Account", [MOOD, outcome]).sentence
    assert f"Read Access of {MOOD.label} and Edit Access of Outcome" in both
    assert "Read Access" not in visibility_step("Account", [outcome]).sentence
    assert "Edit Access" not in visibility_step("Account", [MOOD]).sentence
