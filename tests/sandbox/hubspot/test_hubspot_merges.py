"""Merges and permanent deletion: old ids lead to the survivor, whose id may be new."""

from datetime import timedelta

import pytest
from hubspot_wire import where


def merge(hub, kind, primary, other):
    answer = hub.objects("POST", f"{kind}/merge", json={"primaryObjectId": primary, "objectIdToMerge": other})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


@pytest.mark.parametrize(
    ("kind", "makes_new"), [("contacts", False), ("companies", True), ("deals", True), ("tickets", True)]
)
def test_contacts_keep_the_primary_id_others_get_a_new_one(hub, portal, kind, makes_new):
    values = {"hs_pipeline_stage": "1"} if kind == "tickets" else {}
    first, second = portal.insert(kind, values), portal.insert(kind, values)
    survivor = merge(hub, kind, first, second)
    assert (survivor != first) is makes_new
    for old in (first, second):
        assert hub.objects("GET", f"{kind}/{old}").json()["id"] == survivor
    gone = [old for old in (first, second) if old != survivor]
    names = {"properties": "hs_merged_object_ids"}
    told = hub.objects("GET", f"{kind}/{survivor}", params=names).json()["properties"]["hs_merged_object_ids"]
    assert told.split(";") == gone
    assert hub.objects("GET", kind, params={"archived": "true"}).json()["results"] == []
    assert [row["id"] for row in hub.objects("GET", kind).json()["results"]] == [survivor]
    assert hub.found(kind) == [survivor]


@pytest.mark.parametrize("new_ids", [[], ["contacts"]])
def test_either_way_can_be_chosen(hub, portal, new_ids):
    portal.configure(merges_make_new_ids=new_ids)
    first, second = (portal.insert("contacts", {"firstname": name}) for name in "AB")
    assert (merge(hub, "contacts", first, second) == first) is not bool(new_ids)


def test_values_and_associations_come_together(hub, portal, clock):
    first = portal.insert("companies", {"name": "Acme", "city": "Oslo"})
    second = portal.insert("companies", {"name": "ACME Inc", "phone": "1"})
    people = [portal.insert("contacts", {"firstname": name}) for name in "AB"]
    portal.associate("contacts", people[0], "companies", first)
    portal.associate("contacts", people[1], "companies", second)
    clock.advance(timedelta(hours=1))
    survivor = merge(hub, "companies", first, second)
    row = portal.get("companies", survivor)
    assert (row["name"], row["city"], row["phone"]) == ("Acme", "Oslo", "1")
    assert (row["createdate"], row["hs_lastmodifieddate"]) == ("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z")
    assert portal.associated("companies", survivor, "contacts") == {each: [2, 280] for each in people}
    assert portal.associated("contacts", people[1], "companies") == {survivor: [1, 279]}


def test_a_record_of_the_same_number_as_the_survivor_stays_associated(hub, portal):
    first, second = (portal.insert("companies", {"name": name}) for name in "AB")
    people = [portal.insert("contacts", {"firstname": name}) for name in "ABC"]
    portal.associate("contacts", people[2], "companies", first)
    survivor = merge(hub, "companies", first, second)
    assert survivor == people[2]
    assert portal.associated("contacts", people[2], "companies") == {survivor: [1, 279]}


@pytest.mark.parametrize("new_ids", [[], ["tickets"]])
@pytest.mark.parametrize(("first", "second"), [("1", "4"), ("4", "1")])
def test_a_merged_ticket_is_closed_if_the_stage_that_remains_closes(portal, clock, *, new_ids, first, second):
    portal.configure(merges_make_new_ids=new_ids)
    primary, other = (portal.insert("tickets", {"hs_pipeline_stage": stage}) for stage in (first, second))
    before = portal.get("tickets", primary)
    clock.advance(timedelta(hours=1))
    row = portal.get("tickets", portal.merge("tickets", primary, [other]))
    for name in ("hs_pipeline_stage", "closed_date", "time_to_close", "hs_v2_date_entered_current_stage"):
        assert row.get(name) == before.get(name), name


@pytest.mark.parametrize("new_ids", [[], ["companies"]])
def test_a_company_that_is_merged_with_its_parent_has_none(portal, new_ids):
    portal.configure(merges_make_new_ids=new_ids)
    above, below = (portal.insert("companies", {"name": name}) for name in ("Above", "Below"))
    portal.associate("companies", above, "companies", below, 13)
    row = portal.get("companies", portal.merge("companies", below, [above]))
    assert "hs_parent_company_id" not in row


def test_merges_of_merges_lead_to_the_last_survivor(hub, portal):
    ids = [portal.insert("companies", {"name": name}) for name in "ABC"]
    one = merge(hub, "companies", ids[0], ids[1])
    last = merge(hub, "companies", ids[2], one)
    assert {hub.objects("GET", f"companies/{each}").json()["id"] for each in ids} == {last}
    assert portal.get("companies", last)["hs_merged_object_ids"].split(";") == [*ids[:2], ids[2], one]


def test_contacts_name_merges_with_their_time_but_not_those_of_merges(hub, portal):
    ids = [portal.insert("contacts", {"email": f"{name}@x.example"}) for name in "abc"]
    merge(hub, "contacts", ids[1], ids[2])
    merge(hub, "contacts", ids[0], ids[1])
    row = portal.get("contacts", ids[0])
    assert row["hs_calculated_merged_vids"] == f"{ids[1]}:1772442000000"
    assert row["hs_merged_object_ids"].split(";") == [ids[2], ids[1]]
    assert row["hs_additional_emails"].split(";") == ["c@x.example", "b@x.example"]
    taken = hub.objects("POST", "contacts", json={"properties": {"email": "c@x.example"}})
    assert (taken.status_code, taken.json()["message"]) == (409, f"Contact already exists. Existing ID: {ids[0]}")


def test_batches_leave_a_merged_id_out_and_read_the_survivor(hub, portal):
    first, second = (portal.insert("contacts", {"firstname": name}) for name in "AB")
    merge(hub, "contacts", first, second)
    read = hub.objects("POST", "contacts/batch/read", json={"inputs": [{"id": second}]})
    assert (read.status_code, [row["id"] for row in read.json()["results"]]) == (200, [first])
    rows = [{"id": second, "properties": {"firstname": "C"}}]
    update = hub.objects("POST", "contacts/batch/update", json={"inputs": rows})
    assert (update.status_code, update.json()["results"]) == (200, [])
    single = hub.objects("PATCH", f"contacts/{second}", json={"properties": {"firstname": "C"}}).json()
    assert single["id"] == first


def test_what_cannot_be_merged(hub, portal):
    made = portal.insert("contacts", {"firstname": "A"})
    body = {"primaryObjectId": made, "objectIdToMerge": made}
    assert hub.objects("POST", "contacts/merge", json=body).status_code == 400
    assert hub.objects("POST", "contacts/merge", json={**body, "objectIdToMerge": "7"}).status_code == 404
    assert hub.objects("POST", "tasks/merge", json=body).status_code == 404


@pytest.mark.parametrize("by", ["id", "email"])
def test_permanent_deletion_leaves_nothing_and_blocks_the_address(hub, portal, by):
    made = portal.insert("contacts", {"email": "a@x.example"})
    body = {"objectId": made} if by == "id" else {"objectId": "a@x.example", "idProperty": "email"}
    assert hub.objects("POST", "contacts/gdpr-delete", json=body).status_code == 204
    assert hub.objects("GET", f"contacts/{made}").status_code == 404
    assert hub.objects("GET", f"contacts/{made}", params={"archived": "true"}).status_code == 404
    assert hub.found("contacts", where("email", "EQ", "a@x.example")) == []
    assert hub.objects("POST", "contacts", json={"properties": {"email": "a@x.example"}}).status_code == 400
