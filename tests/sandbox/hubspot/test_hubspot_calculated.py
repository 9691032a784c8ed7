"""Properties that the portal works out itself: the moment of a record's last change of stage, and a company's parent."""

from datetime import timedelta

import pytest

ENTERED = "hs_v2_date_entered_current_stage"


@pytest.mark.parametrize(
    ("kind", "stage", "first", "second"),
    [("tickets", "hs_pipeline_stage", "1", "4"), ("deals", "dealstage", "contractsent", "closedwon")],
)
def test_the_date_of_the_stage_moves_with_the_stage_alone(hub, portal, clock, *, kind, stage, first, second):
    made = hub.objects("POST", kind, json={"properties": {stage: first}}).json()["id"]
    seen = [portal.get(kind, made)[ENTERED]]
    for change in ({stage: second}, {"hubspot_owner_id": ""}, {stage: second}):
        clock.advance(timedelta(hours=1))
        hub.objects("PATCH", f"{kind}/{made}", json={"properties": change})
        seen.append(portal.get(kind, made)[ENTERED])
    assert seen == ["2026-03-02T09:00:00Z", *["2026-03-02T10:00:00Z"] * 3]


def test_nobody_else_writes_them(hub, portal):
    made = portal.insert("deals", {"dealstage": "closedwon"})
    answer = hub.objects("PATCH", f"deals/{made}", json={"properties": {ENTERED: "2026-01-01T00:00:00Z"}})
    assert (answer.status_code, "read only" in answer.text) == (400, True)


def test_a_company_names_its_parent_as_long_as_they_are_associated(portal, clock):
    above, below = (portal.insert("companies", {"name": name}) for name in ("Above", "Below"))
    portal.associate("companies", above, "companies", below)
    assert "hs_parent_company_id" not in portal.get("companies", below)
    clock.advance(timedelta(hours=1))
    portal.associate("companies", below, "companies", above, 14)
    named = portal.get("companies", below)
    assert (named["hs_parent_company_id"], named["hs_lastmodifieddate"]) == (above, "2026-03-02T10:00:00Z")
    assert "hs_parent_company_id" not in portal.get("companies", above)
    portal.dissociate("companies", above, "companies", below)
    assert "hs_parent_company_id" not in portal.get("companies", below)


def test_the_parent_follows_a_merge(portal):
    above, below, other = (portal.insert("companies", {"name": name}) for name in ("Above", "Below", "Other"))
    portal.associate("companies", above, "companies", below, 13)
    merged = portal.merge("companies", other, [above])
    assert portal.get("companies", below)["hs_parent_company_id"] == merged
    child = portal.merge("companies", portal.insert("companies", {"name": "Double"}), [below])
    assert portal.get("companies", child)["hs_parent_company_id"] == merged
