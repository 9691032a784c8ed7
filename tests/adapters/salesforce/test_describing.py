"""Schemas and the org, as far as we may see them."""

import pytest

from adapters.salesforce.crm_adapter import SalesforceAdapter
from connector.errors import SchemaChanged
from connector.model import Ref
from connector.ports import FieldSchema, Needs, Query
from tests.adapters.salesforce.conftest import NOON, Connect, Wire

ORG = {"Id": "00D000000000001EAA", "Name": "Acme", "TimeZoneSidKey": "Europe/Helsinki"}


def test_fields_are_described_in_our_words(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.describe(
        "Account",
        {"name": "Name", "type": "string", "length": 255, "createable": True, "nillable": False},
        {"name": "Staff", "type": "int", "digits": 8, "precision": 0, "scale": 0},
        {"name": "Worth", "type": "currency", "precision": 18, "scale": 2, "calculated": True, "updateable": False},
        {"name": "Active", "type": "boolean", "createable": True, "nillable": False, "defaultedOnCreate": True},
        {
            "name": "Mood",
            "type": "picklist",
            "restrictedPicklist": True,
            "picklistValues": [{"value": "A", "active": True}, {"value": "B", "active": False}],
        },
        {"name": "OwnerId", "type": "reference", "referenceTo": ["Group", "User"]},
        {"name": "Where", "type": "location"},
    )
    fields = crm.describe("Account").fields
    assert fields["Name"] == FieldSchema("Name", "Name", "text", length=255, required=True)
    assert (fields["Staff"].type, fields["Staff"].precision, fields["Staff"].scale) == ("number", 8, 0)
    assert (fields["Worth"].precision, fields["Worth"].scale, fields["Worth"].calculated) == (18, 2, True)
    assert (fields["Active"].type, fields["Active"].required) == ("boolean", False)
    assert (fields["Mood"].options, fields["Mood"].restricted) == (("A",), True)
    assert fields["OwnerId"].references == ("Group", "User")
    assert fields["Where"].type == "other"


def test_f49_an_object_that_is_hidden_is_named(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "sobjects/Case/describe", "NOT_FOUND", "The requested resource does not exist", status=404)
    with pytest.raises(SchemaChanged) as caught:
        crm.describe("Case")
    assert caught.value.object_name == "Case"


def test_f13_the_stamp_is_one_that_can_be_filtered(crm: SalesforceAdapter, wire: Wire) -> None:
    stamps = [{"name": "SystemModstamp", "filterable": False}, {"name": "LastModifiedDate", "filterable": True}]
    wire.refuse("GET", "queryAll", "INVALID_FIELD", "field 'SystemModstamp' can not be filtered in a query call")
    wire.answer("GET", "sobjects/Odd__c/describe", {"name": "Odd__c", "fields": [{"name": "Id"}, *stamps]})
    wire.rows()
    list(crm.changes(Query("Odd__c", ("Id",)), since=None, after=None))
    assert wire.queries[-1].endswith("ORDER BY LastModifiedDate, Id")


def test_rights_to_objects_that_are_missing_are_named_with_the_way_there(crm: SalesforceAdapter, wire: Wire) -> None:
    closed = {"name": "Task", "fields": [{"name": "Id"}], "createable": False, "updateable": True}
    wire.answer("GET", "sobjects/Task/describe", closed)
    wire.answer("GET", "sobjects/Account/describe", closed | {"name": "Account", "updateable": False})
    wire.refuse("GET", "sobjects/Case/describe", "NOT_FOUND", "The requested resource does not exist", status=404)
    needs: Needs = {
        "Task": frozenset({"read", "create", "update"}),
        "Account": frozenset({"read", "update"}),
        "Case": frozenset({"read"}),
    }
    task, account, case = crm.missing_rights(needs)
    assert (task.name, account.name, case.name) == ("Create on Task", "Edit on Account", "Read on Case")
    assert "Edit Tasks" in task.remedy
    assert "Object Settings > Account" in account.remedy


def test_the_org_is_told_with_its_clock(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(ORG)
    wire.answer("GET", "connect/organization", {"features": {"defaultCurrencyIsoCode": "EUR"}})
    wire.answer("GET", "/services/oauth2/userinfo", {"user_id": "005", "preferred_username": "bot@acme.example"})
    wire.rows(ORG)
    org = crm.org()
    assert (org.id, org.timezone, org.currency) == (ORG["Id"], "Europe/Helsinki", "EUR")
    assert (org.user, org.api_version, org.server_time) == ("bot@acme.example", "64.0", NOON)
    assert org.supported_until is not None
    assert crm.org() == org


def test_what_may_not_be_asked_stays_unknown(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(ORG)
    wire.refuse("GET", "connect/organization", "NOT_FOUND", "The requested resource does not exist", status=404)
    wire.answer("GET", "/services/oauth2/userinfo", "Bad_OAuth_Token", status=403)
    org = crm.org()
    assert (org.name, org.currency, org.user) == ("Acme", None, "")


def test_an_app_that_may_not_ask_who_it_is_costs_no_sign_ins(connect: Connect, wire: Wire) -> None:
    host = "https://acme.my.salesforce.com"
    wire.answer("POST", "/services/oauth2/token", {"access_token": "t1", "instance_url": host})
    wire.rows(ORG)
    wire.refuse("GET", "connect/organization", "NOT_FOUND", "The requested resource does not exist", status=404)
    wire.answer("GET", "/services/oauth2/userinfo", "Bad_OAuth_Token", status=403)
    assert connect(auth="client_credentials", client_id="app", client_secret="s").org().user == ""


def test_a_record_is_opened_by_its_long_id(crm: SalesforceAdapter) -> None:
    url = crm.record_url(Ref("acme", "Account", "0018M000003uKqq"))
    assert url == "https://acme.my.salesforce.com/lightning/r/Account/0018M000003uKqqQAE/view"
