"""Searching: filters, their limits, the wall at 10,000, and an index that learns late."""

from datetime import UTC, datetime, timedelta

import pytest
from hubspot.crm.contacts import PublicObjectSearchRequest
from hubspot_wire import where

from adapters.sandbox.hubspot import Property


@pytest.fixture
def people(portal):
    """Three contacts, a minute apart."""
    rows = [
        {"email": "ann@x.example", "firstname": "Ann", "phone": "1"},
        {"email": "bob@y.example", "firstname": "Bob", "lifecyclestage": "lead"},
        {"email": "cy@x.example", "firstname": "cy"},
    ]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [portal.insert("contacts", row, at=start + timedelta(minutes=at)) for at, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("firstname", "EQ", "ANN"), [0]),
        (where("firstname", "NEQ", "ann"), [1, 2]),
        (where("firstname", "IN", values=["ann", "cy"]), [0, 2]),
        (where("firstname", "IN", values=["Ann", "Cy"]), []),
        (where("firstname", "NOT_IN", values=["ann"]), [1, 2]),
        (where("lifecyclestage", "IN", values=["lead"]), [1]),
        (where("phone", "HAS_PROPERTY"), [0]),
        (where("phone", "NOT_HAS_PROPERTY"), [1, 2]),
        (where("email", "CONTAINS_TOKEN", "*@x.example"), [0, 2]),
        (where("email", "NOT_CONTAINS_TOKEN", "*@x.example"), [1]),
        (where("createdate", "GT", "2026-01-01T00:00:00Z"), [1, 2]),
        (where("createdate", "GTE", "1767225660000"), [1, 2]),
        (where("createdate", "LT", "2026-01-01T00:01:00Z"), [0]),
        (where("createdate", "LTE", "2026-01-01T00:01:00Z"), [0, 1]),
        (where("createdate", "BETWEEN", "2026-01-01T00:01:00Z", highValue="2026-01-01T00:02:00Z"), [1, 2]),
        (where("hs_lastmodifieddate", "GT", "0"), []),
        (where("lastmodifieddate", "GT", "0"), [0, 1, 2]),
    ],
)
def test_each_operator(hub, people, condition, expected):
    assert hub.found("contacts", condition) == [people[each] for each in expected]


def test_groups_are_alternatives_and_filters_add_up(hub, people):
    groups = [
        {"filters": [where("firstname", "EQ", "Ann"), where("phone", "HAS_PROPERTY")]},
        {"filters": [where("firstname", "EQ", "Bob"), where("phone", "HAS_PROPERTY")]},
        {"filters": [where("hs_object_id", "GT", people[1])]},
    ]
    assert hub.found("contacts", filterGroups=groups) == [people[0], people[2]]


def test_sorting_by_one_property_either_way(hub, people):
    assert hub.found("contacts", sorts=["-firstname"]) == [people[2], people[1], people[0]]
    by = [{"propertyName": "createdate", "direction": "DESCENDING"}]
    assert hub.found("contacts", sorts=by) == people[::-1]
    answer = hub.objects("POST", "contacts/search", json={"sorts": ["firstname", "email"]})
    assert answer.status_code == 400


def test_words_are_sought_in_the_usual_properties(hub, people):
    assert hub.found("contacts", query="x.example ann") == [people[0]]


def test_what_a_record_is_associated_with_can_be_asked_for(hub, portal, people):
    company = portal.insert("companies", {"name": "Acme"})
    portal.associate("contacts", people[1], "companies", company)
    assert hub.found("contacts", where("associations.company", "EQ", company)) == [people[1]]
    assert hub.found("companies", where("associations.contacts", "EQ", people[1])) == [company]


def test_pages_and_the_true_total(hub, people):
    body = {"limit": 2, "sorts": ["hs_object_id"]}
    first = hub.objects("POST", "contacts/search", json=body).json()
    assert (first["total"], first["paging"]) == (3, {"next": {"after": "2"}})
    second = hub.objects("POST", "contacts/search", json={**body, "after": "2"}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == people
    assert "paging" not in second
    assert "associations" not in first["results"][0]


def test_the_wall_at_ten_thousand(hub, portal):
    portal.load("companies", ({"name": "x"} for _ in range(10_201)))
    body = {"limit": 200, "after": "9800", "sorts": ["hs_object_id"]}
    last = hub.objects("POST", "companies/search", json=body).json()
    assert (last["total"], last["paging"]["next"]["after"], len(last["results"])) == (10_201, "10000", 200)
    assert hub.objects("POST", "companies/search", json={**body, "after": "10000"}).status_code == 400
    assert hub.objects("POST", "companies/search", json={**body, "after": "9801"}).status_code == 400


def test_equals_are_in_no_order_that_can_be_relied_on(hub, portal):
    ids = [portal.insert("companies", {"name": "x"}) for _ in range(40)]
    found = hub.found("companies", sorts=["hs_lastmodifieddate"])
    assert sorted(found) == ids
    assert found != ids
    assert found == hub.found("companies", sorts=["hs_lastmodifieddate"])


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [where("colour", "EQ", "red")]}]},
        {"sorts": ["colour"]},
        {"filterGroups": [{"filters": [where("phone", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [where("phone", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [where("phone", "HAS_PROPERTY")] * 4}] * 5},
        {"filterGroups": [{"filters": [where("firstname", "IS", "x")]}]},
        {"filterGroups": [{"filters": [where("firstname", "IN")]}]},
        {"filterGroups": [{"filters": [where("createdate", "GT", "yesterday")]}]},
        {"limit": 201},
        {"query": "x" * 3_000},
    ],
)
def test_searches_that_are_refused(hub, body):
    answer = hub.objects("POST", "contacts/search", json=body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_the_index_learns_late_but_answers_with_the_record_as_it_is(hub, portal, clock):
    portal.configure(search_lag_s=10)
    made = portal.insert("companies", {"name": "Old"})
    assert hub.found("companies") == []
    clock.advance(timedelta(seconds=10))
    assert hub.found("companies") == [made]
    portal.update("companies", made, {"name": "New"})
    assert hub.found("companies", where("name", "EQ", "New")) == []
    body = {"filterGroups": [{"filters": [where("name", "EQ", "Old")]}], "properties": ["name"]}
    row = hub.objects("POST", "companies/search", json=body).json()["results"][0]["properties"]
    assert (row["name"], row["hs_lastmodifieddate"]) == ("New", "2026-03-02T09:00:10Z")
    clock.advance(timedelta(seconds=10))
    assert hub.found("companies", where("name", "EQ", "New")) == [made]
    assert hub.found("companies", where("name", "EQ", "Old")) == []


def test_the_latest_of_several_writes_wins_in_its_own_time(hub, portal, clock):
    portal.configure(search_lag_s=10)
    made = portal.insert("companies", {"name": "A"}, at=clock.now() - timedelta(minutes=1))
    for name in ("B", "C"):
        portal.update("companies", made, {"name": name})
        clock.advance(timedelta(seconds=6))
    assert hub.found("companies", where("name", "EQ", "B")) == [made]
    assert hub.found("companies", where("name", "EQ", "C")) == []


def test_archived_records_never_appear(hub, portal):
    portal.configure(search_lag_s=10)
    made = portal.load("companies", [{"name": "A"}])[0]
    assert hub.found("companies") == [made]
    portal.archive("companies", made)
    assert hub.found("companies") == []


def test_numbers_and_choices_compare_as_what_they_are(hub, portal):
    portal.new_property("companies", Property("score", "number", "number"))
    ids = [portal.insert("companies", {"name": "x", "score": value}) for value in ("9", "10", "")]
    assert hub.found("companies", where("score", "GT", "9")) == [ids[1]]
    assert hub.found("companies", where("score", "NEQ", "9")) == [ids[1]]
    assert hub.found("companies", where("score", "IN", values=["9", "10"]), sorts=["score"]) == ids[:2]
    assert hub.found("companies", sorts=["-score"]) == [ids[1], ids[0], ids[2]]


def test_the_vendors_package_searches(hubspot, people):
    request = PublicObjectSearchRequest(
        filter_groups=[{"filters": [where("firstname", "EQ", "Bob")]}],
        properties=["firstname"],
        sorts=["firstname"],
        limit=10,
        after="0",
    )
    page = hubspot.crm.contacts.search_api.do_search(request)
    assert (page.total, [row.id for row in page.results]) == (1, [people[1]])
