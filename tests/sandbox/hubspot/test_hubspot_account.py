"""Owners and users, pipelines and what their stages mean, and what the portal says of itself."""

import pytest

TICKETS = "crm/pipelines/2026-03/tickets"
OWNERS = "crm/owners/2026-03"


def test_an_owner_has_another_id_than_its_user(hub, portal):
    made = portal.add_owner("Ola Nordmann", "ola@portal.example", teams=["North"])
    row = hub.ok("GET", f"{OWNERS}/{made}")
    assert row["id"] == made
    assert row["userId"] == row["userIdIncludingInactive"] != int(made)
    assert row["teams"][0]["primary"] is True
    assert hub.ok("GET", f"crm/v3/owners/{row['userId']}", params={"idProperty": "userId"})["id"] == made
    assert hub.api("GET", f"{OWNERS}/{row['userId']}").status_code == 404


def test_archived_owners_have_no_user_any_more(hub, portal):
    made = portal.add_owner("Ola Nordmann", "ola@portal.example")
    portal.archive_owner(made)
    assert made not in {row["id"] for row in hub.ok("GET", "crm/v3/owners/")["results"]}
    (row,) = hub.ok("GET", OWNERS, params={"archived": "true"})["results"]
    assert "userId" not in row
    assert row["userIdIncludingInactive"] > 0
    assert hub.ok("GET", f"{OWNERS}/{made}", params={"archived": "true"})["archived"] is True


def test_owners_come_in_pages_and_by_address(hub, portal):
    ids = [portal.add_owner(f"P Q{number}", f"p{number}@portal.example") for number in range(3)]
    first = hub.ok("GET", OWNERS, params={"limit": 2})
    second = hub.ok("GET", OWNERS, params={"limit": 2, "after": first["paging"]["next"]["after"]})
    assert [row["id"] for row in first["results"] + second["results"]] == [str(portal.admin.id), *ids]
    assert [row["id"] for row in hub.ok("GET", OWNERS, params={"email": "P1@portal.example"})["results"]] == [ids[1]]


def test_records_tell_the_user_that_wrote_them(hub, portal):
    owner = portal.add_owner("Ola Nordmann", "ola@portal.example")
    made = portal.insert("companies", {"name": "A"}, by="Ola Nordmann")
    user = portal.owners.named(owner).user_id
    names = {"properties": "hs_created_by_user_id"}
    assert hub.objects("GET", f"companies/{made}", params=names).json()["properties"]["hs_created_by_user_id"] == str(
        user
    )


def test_the_first_ticket_pipeline(hub):
    (row,) = hub.ok("GET", TICKETS)["results"]
    assert (row["id"], [stage["id"] for stage in row["stages"]]) == ("0", ["1", "2", "3", "4"])
    assert row["stages"][3]["metadata"] == {"ticketState": "CLOSED", "isClosed": "true"}
    deals = hub.ok("GET", "crm/v3/pipelines/deals/default")["stages"]
    assert {"isClosed": "true", "probability": "1.0"} in [stage["metadata"] for stage in deals]
    assert hub.api("GET", "crm/v3/pipelines/contacts").status_code == 400


def test_pipelines_are_made_changed_and_archived(hub, portal):
    stages = [{"label": "In", "displayOrder": 0, "metadata": {"ticketState": "OPEN"}}]
    made = hub.api("POST", TICKETS, json={"label": "Returns", "displayOrder": 1, "stages": stages})
    assert made.status_code == 201
    path = f"{TICKETS}/{made.json()['id']}"
    stage = {"label": "Out", "displayOrder": 1, "metadata": {"ticketState": "CLOSED"}}
    added = hub.api("POST", f"{path}/stages", json=stage)
    assert (added.status_code, added.json()["metadata"]) == (201, {"ticketState": "CLOSED"})
    ticket = portal.insert("tickets", {"subject": "S", "hs_pipeline_stage": added.json()["id"]})
    assert "closed_date" in portal.get("tickets", ticket)
    one = f"{path}/stages/{added.json()['id']}"
    assert hub.ok("PATCH", one, json={"label": "Gone", "metadata": {}})["label"] == "Gone"
    assert hub.api("PUT", one, json={"label": "x", "displayOrder": 1, "metadata": {}}).status_code == 400
    assert hub.ok("GET", one)["label"] == "Gone"
    assert hub.api("DELETE", one).status_code == 204
    assert len(hub.ok("GET", f"{path}/stages")["results"]) == 1
    replaced = hub.ok("PUT", path, json={"label": "Back", "displayOrder": 0, "stages": [*stages, stage]})
    assert [each["label"] for each in replaced["stages"]] == ["In", "Out"]
    assert hub.ok("PATCH", path, json={"displayOrder": 7})["displayOrder"] == 7
    assert hub.api("DELETE", path).status_code == 204
    assert hub.api("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("kind", "metadata"), [("tickets", {}), ("tickets", {"ticketState": "Done"}), ("deals", {"probability": "2"})]
)
def test_a_stage_needs_its_metadata(hub, kind, metadata):
    body = {"label": "P", "displayOrder": 1, "stages": [{"label": "S", "displayOrder": 0, "metadata": metadata}]}
    assert hub.api("POST", f"crm/pipelines/2026-03/{kind}", json=body).status_code == 400
    assert len(hub.ok("GET", f"crm/pipelines/2026-03/{kind}")["results"]) == 1


def test_the_account(hub, portal):
    told = hub.ok("GET", "account-info/v3/details")
    assert told == hub.ok("GET", "account-info/2026-03/details")
    assert (told["portalId"], told["utcOffset"], told["utcOffsetMilliseconds"]) == (
        portal.portal_id,
        "-05:00",
        -18_000_000,
    )


def test_usage_counts_the_calls_of_the_day(hub):
    hub.objects("GET", "contacts")
    (row,) = hub.ok("GET", "account-info/v3/api-usage/daily/private-apps")["results"]
    assert (row["currentUsage"], row["usageLimit"], row["fetchStatus"]) == (2, 1_000_000, "SUCCESS")
    assert row["resetsAt"] == "2026-03-03T05:00:00Z"


def test_the_vendors_package_reads_owners_and_pipelines(hubspot, portal):
    assert [each.id for each in hubspot.crm.owners.get_all()] == [str(portal.admin.id)]
    assert hubspot.crm.pipelines.pipelines_api.get_all("tickets").results[0].stages[3].metadata["isClosed"] == "true"
