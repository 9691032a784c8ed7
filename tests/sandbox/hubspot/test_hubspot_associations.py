"""Associations: types with a direction, one primary company, and rows of errors for records that have none."""

import pytest
from hubspot.crm.associations.v4 import AssociationSpec, BatchInputPublicFetchAssociationsBatchRequest

PRIMARY = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}
PLAIN = {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}
V4 = "crm/v4/associations"
DATED = "crm/associations/2026-03"
NEEDED = {"tickets": {"hs_pipeline_stage": "1"}} | {
    kind: {"hs_timestamp": "0"} for kind in ("tasks", "calls", "meetings")
}


@pytest.fixture
def pair(portal):
    """A contact and two companies."""
    contact = portal.insert("contacts", {"firstname": "A"})
    return contact, [portal.insert("companies", {"name": name}) for name in "AB"]


def spec(type_id, category="HUBSPOT_DEFINED"):
    return {"associationCategory": category, "associationTypeId": type_id}


def types_of(hub, source, target):
    rows = hub.ok("GET", f"crm/objects/2026-03/{source}/associations/{target}")["results"]
    return {str(row["toObjectId"]): [each["typeId"] for each in row["associationTypes"]] for row in rows}


def test_the_first_company_is_primary_and_unlabelled_at_once(hub, pair):
    contact, (first, second) = pair
    for company in (first, second):
        path = f"crm/objects/2026-03/contacts/{contact}/associations/default/companies/{company}"
        assert hub.api("PUT", path).status_code == 200
    row = hub.ok("GET", f"crm/v4/objects/contacts/{contact}/associations/companies")["results"][0]
    assert row == {"toObjectId": int(first), "associationTypes": [PRIMARY, PLAIN]}
    assert types_of(hub, f"contacts/{contact}", "companies") == {first: [1, 279], second: [279]}
    assert types_of(hub, f"companies/{first}", "contacts") == {contact: [2, 280]}


def test_a_new_primary_company_takes_the_place_of_the_old(hub, portal, pair):
    contact, (first, second) = pair
    portal.associate("contacts", contact, "companies", first)
    answer = hub.api("PUT", f"crm/v4/objects/contacts/{contact}/associations/companies/{second}", json=[spec(1)])
    assert answer.status_code == 201
    assert answer.json() == {
        "fromObjectTypeId": "0-1",
        "fromObjectId": contact,
        "toObjectTypeId": "0-2",
        "toObjectId": second,
        "labels": ["Primary"],
    }
    assert types_of(hub, f"contacts/{contact}", "companies") == {first: [279], second: [1, 279]}
    portal.associate("companies", first, "contacts", contact, 2)
    assert types_of(hub, f"contacts/{contact}", "companies") == {first: [1, 279], second: [279]}


@pytest.mark.parametrize(
    ("pair", "types"),
    [
        (("tasks", "contacts"), (204, 203)),
        (("tasks", "companies"), (192, 191)),
        (("tasks", "tickets"), (230, 229)),
        (("tickets", "contacts"), (16, 15)),
        (("calls", "contacts"), (194, 193)),
        (("meetings", "companies"), (188, 187)),
        (("deals", "contacts"), (3, 4)),
    ],
)
def test_each_direction_has_its_own_type(hub, portal, pair, types):
    (source, target), (there, back) = pair, types
    ids = [portal.insert(kind, NEEDED.get(kind, {})) for kind in pair]
    portal.associate(source, ids[0], target, ids[1])
    assert there in types_of(hub, f"{source}/{ids[0]}", target)[ids[1]]
    assert back in types_of(hub, f"{target}/{ids[1]}", source)[ids[0]]
    wrong = hub.api("PUT", f"crm/v4/objects/{source}/{ids[0]}/associations/{target}/{ids[1]}", json=[spec(back)])
    assert wrong.status_code == 400


@pytest.mark.parametrize("path", [V4, DATED, "crm/v3/associations"])
def test_records_without_associations_are_rows_of_errors(hub, portal, pair, path):
    contact, (first, _) = pair
    lonely = portal.insert("contacts", {"firstname": "B"})
    portal.associate("contacts", contact, "companies", first)
    inputs = [{"id": contact}, {"id": lonely}, {"id": "x"}]
    answer = hub.api("POST", f"{path}/contacts/companies/batch/read", json={"inputs": inputs})
    assert answer.status_code == 207
    body = answer.json()
    assert (len(body["results"]), body["numErrors"], body["status"]) == (1, 2, "COMPLETE")
    assert body["errors"][0] == {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No company is associated with contact {lonely}.",
        "context": {"fromObjectId": [lonely], "fromObjectType": ["contact"], "toObjectType": ["company"]},
    }
    assert body["errors"][1]["subCategory"] == "crm.associations.INVALID_IDENTIFIER"
    nobody = hub.api("POST", f"{path}/contacts/companies/batch/read", json={"inputs": [{"id": lonely}]})
    assert (nobody.status_code, nobody.json()["results"]) == (207, [])


def test_the_old_shape_names_types(hub, portal, pair):
    contact, (first, _) = pair
    portal.associate("contacts", contact, "companies", first)
    rows = hub.ok("POST", "crm/v3/associations/contacts/companies/batch/read", json={"inputs": [{"id": contact}]})
    assert rows["results"][0]["to"] == [
        {"id": first, "type": "contact_to_company"},
        {"id": first, "type": "contact_to_company_unlabeled"},
    ]
    told = hub.objects("GET", f"contacts/{contact}", params={"associations": "companies"}).json()["associations"]
    assert told == {"companies": {"results": rows["results"][0]["to"]}}


def test_the_old_shape_writes_and_ends_by_name(hub, portal, pair):
    contact, (first, _) = pair
    body = {"inputs": [{"from": {"id": contact}, "to": {"id": first}, "type": "contact_to_company"}]}
    made = hub.api("POST", "crm/v3/associations/contacts/companies/batch/create", json=body)
    assert (made.status_code, made.json()["results"]) == (201, body["inputs"])
    assert hub.api("POST", "crm/v3/associations/contacts/companies/batch/archive", json=body).status_code == 204
    assert portal.associated("contacts", contact, "companies") == {first: [279]}
    names = {row["name"] for row in hub.ok("GET", "crm/v3/associations/contacts/companies/types")["results"]}
    assert names == {"contact_to_company", "contact_to_company_unlabeled"}


@pytest.mark.parametrize(("path", "ended"), [(V4, 204), (DATED, 200)])
def test_batches_write_and_end(hub, portal, pair, path, ended):
    contact, companies = pair
    pairs = [{"from": {"id": contact}, "to": {"id": each}} for each in companies]
    plain = hub.api("POST", f"{path}/contacts/companies/batch/associate/default", json={"inputs": pairs})
    assert (plain.status_code, len(plain.json()["results"])) == (200, 4)
    typed = [{**each, "types": [spec(1)]} for each in pairs]
    bad = {"from": {"id": contact}, "to": {"id": "7"}, "types": [spec(1)]}
    mixed = hub.api("POST", f"{path}/contacts/companies/batch/create", json={"inputs": [*typed, bad]})
    assert (mixed.status_code, mixed.json()["errors"][0]["message"]) == (207, "7 is not a valid ID")
    assert hub.api("POST", f"{path}/contacts/companies/batch/create", json={"inputs": typed}).status_code == 201
    labels = hub.api("POST", f"{path}/contacts/companies/batch/labels/archive", json={"inputs": typed})
    assert labels.status_code == ended
    assert portal.associated("contacts", contact, "companies") == {key: [279] for key in companies}
    body = {"inputs": [{"from": {"id": contact}, "to": [{"id": each} for each in companies]}]}
    assert hub.api("POST", f"{path}/contacts/companies/batch/archive", json=body).status_code == ended
    assert portal.associated("contacts", contact, "companies") == {}


def test_a_thousand_are_read_at_most(hub):
    inputs = [{"id": str(number)} for number in range(1_001)]
    answer = hub.api("POST", f"{DATED}/contacts/companies/batch/read", json={"inputs": inputs})
    assert "supported in a batch is 1000" in answer.json()["message"]


def test_many_come_in_pages(hub, portal):
    company = portal.insert("companies", {"name": "A"})
    people = portal.load("contacts", ({"firstname": "x"} for _ in range(620)))
    portal.load_links("contacts", "companies", [(each, company) for each in people])
    path = f"crm/objects/2026-03/companies/{company}/associations/contacts"
    first = hub.ok("GET", path, params={"limit": 500})
    second = hub.ok("GET", path, params={"limit": 500, "after": first["paging"]["next"]["after"]})
    assert [str(row["toObjectId"]) for row in first["results"] + second["results"]] == people
    row = hub.ok("POST", f"{DATED}/companies/contacts/batch/read", json={"inputs": [{"id": company}]})["results"][0]
    assert (len(row["to"]), row["paging"]["next"]["after"]) == (500, people[499])
    again = {"inputs": [{"id": company, "after": people[499]}]}
    assert len(hub.ok("POST", f"{DATED}/companies/contacts/batch/read", json=again)["results"][0]["to"]) == 120
    listed = hub.objects("GET", f"companies/{company}", params={"associations": "contacts"}).json()["associations"]
    assert listed["contacts"]["paging"]["next"]["after"] == people[99]
    follow = hub.get(listed["contacts"]["paging"]["next"]["link"], timeout=300).json()["results"]
    assert str(follow[0]["toObjectId"]) == people[100]


def test_archived_records_are_not_shown(hub, portal, pair):
    contact, (first, _) = pair
    portal.associate("contacts", contact, "companies", first)
    portal.archive("companies", first)
    assert types_of(hub, f"contacts/{contact}", "companies") == {}


def test_ending_one_association_is_no_change_of_the_record(hub, portal, pair):
    contact, (first, _) = pair
    before = portal.get("contacts", contact)
    portal.clock.advance(portal.clock.now() - portal.clock.now().replace(hour=0))
    portal.associate("contacts", contact, "companies", first)
    assert hub.api("DELETE", f"crm/v4/objects/contacts/{contact}/associations/companies/{first}").status_code == 204
    assert portal.associated("contacts", contact, "companies") == {}
    assert portal.get("contacts", contact) == before


def test_a_record_cannot_be_associated_with_itself(hub, pair):
    contact, _ = pair
    answer = hub.api("PUT", f"crm/v4/objects/contacts/{contact}/associations/default/contacts/{contact}")
    assert answer.status_code == 400
    assert answer.json()["message"] == f"Object CONTACT {contact} cannot be associated to itself ({contact})"


def test_labels_are_made_listed_used_and_dropped(hub, portal, pair):
    contact, (first, _) = pair
    body = {"label": "Buyer", "inverseLabel": "Bought by", "name": "buyer"}
    made = hub.ok("POST", f"{DATED}/contacts/companies/labels", json=body)["results"]
    assert [(each["category"], each["label"]) for each in made] == [
        ("USER_DEFINED", "Buyer"),
        ("USER_DEFINED", "Bought by"),
    ]
    there, back = (each["typeId"] for each in made)
    assert (there, back) == (
        3,
        4,
    )  # labels are counted by themselves: 3 and 4 lead from deals to contacts and back, too
    path = f"crm/v4/objects/contacts/{contact}/associations/companies/{first}"
    assert hub.ok("PUT", path, json=[spec(there, "USER_DEFINED")])["labels"] == ["Buyer"]
    assert types_of(hub, f"companies/{first}", "contacts") == {contact: sorted([2, 280, back])}
    rename = {"associationTypeId": there, "label": "Payer"}
    assert hub.api("PUT", f"{DATED}/contacts/companies/labels", json=rename).status_code == 204
    listed = hub.ok("GET", "crm/associations/v4/contacts/companies/labels")["results"]
    assert listed[0] == PRIMARY
    assert {"category": "USER_DEFINED", "typeId": there, "label": "Payer"} in listed
    assert hub.api("DELETE", f"{DATED}/contacts/companies/labels/{there}").status_code == 204
    assert types_of(hub, f"contacts/{contact}", "companies") == {first: [1, 279]}


def test_contacts_find_the_company_of_their_domain_when_the_portal_says_so(portal):
    company = portal.insert("companies", {"name": "A", "domain": "x.example"})
    portal.configure(finds_companies=True)
    contact = portal.insert("contacts", {"email": "a@x.example"})
    assert portal.associated("contacts", contact, "companies") == {company: [1, 279]}


def test_the_vendors_package_reads_and_writes(hubspot, pair):
    contact, (first, _) = pair
    api = hubspot.crm.associations.v4
    kinds = [AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=279)]
    made = api.basic_api.create("contacts", contact, "companies", first, association_spec=kinds)
    assert made.to_object_id == first
    page = api.basic_api.get_page("contacts", contact, "companies")
    assert (page.results[0].to_object_id, len(page.results[0].association_types)) == (first, 2)
    request = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": contact}, {"id": "7"}])
    answer = api.batch_api.get_page("contacts", "companies", request)
    assert (answer.num_errors, answer.results[0].to[0].to_object_id) == (1, first)
