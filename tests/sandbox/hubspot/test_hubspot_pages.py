"""The pages of the pretend HubSpot show what a rep sees there, at the vendor's addresses, and let them do a rep's few things."""

import re
from urllib.parse import urlencode

import hubspot_pages_world
import pytest
from hubspot_pages_world import World
from playwright.sync_api import Browser
from visiting import get, post, text

from adapters.sandbox.server import running

TYPES = {"companies": "0-2", "contacts": "0-1", "tickets": "0-5", "deals": "0-3", "tasks": "0-27"}


@pytest.fixture(scope="module")
def world() -> World:
    return hubspot_pages_world.build()


@pytest.fixture
def fresh() -> World:
    return hubspot_pages_world.build()


def record(world: World, kind: str, record_id: str) -> str:
    return f"/contacts/{world.portal.portal_id}/record/{TYPES[kind]}/{record_id}"


def listing(world: World, kind: str) -> str:
    return f"/contacts/{world.portal.portal_id}/objects/{TYPES[kind]}/views/all/list"


def test_the_root_leads_to_the_companies(world: World) -> None:
    answer = get(world.portal, "/")
    assert (answer.status, answer.headers["Location"]) == (303, listing(world, "companies"))


def test_every_page_says_that_it_is_pretended_and_runs_no_scripts(world: World) -> None:
    for target in (
        record(world, "companies", world.company),
        listing(world, "tasks"),
        record(world, "tasks", world.task),
    ):
        answer = get(world.portal, target)
        page = answer.body.decode()
        assert "Pretend HubSpot" in re.sub(r"(?s)<title>.*</title>", "", page)
        assert "<script" not in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_company_shows_the_score_its_mood_and_what_needs_attention(world: World) -> None:
    page = text(world.portal, record(world, "companies", world.company))
    for shown in ("Satisfaction", "38", "likely 22 to 55", "Unhappy", "falling", "19 Nov 2026, 03:05"):
        assert shown in page
    assert "Maria gave 1 of 5 on ticket 1012" in page
    assert '<a href="https://feedback.northwind.example/accounts"' in page


def test_a_company_lists_its_people_tickets_deals_activities_and_groups_of_properties(world: World) -> None:
    page = text(world.portal, record(world, "companies", world.company))
    for title in ("Contacts", "Tickets", "Deals", "Activities", "Follow-up tasks"):
        assert f"{title} <span" in page
    assert "Company information" in page
    assert "1 of 5, ticket 1012, 19 Nov 2026" in page


def test_a_follow_up_shows_its_formatted_text_as_plain_lines(world: World) -> None:
    page = text(world.portal, record(world, "companies", world.company))
    assert "She wrote:\n“The technician never came.”\n\nTicket 1012 &lt;b&gt;&amp; more" in page
    assert "Due 20 Nov 2026, 08:00" in page
    assert "Britta Engelmann" in page


def test_completing_a_task_writes_status_and_outcome_as_the_user_at_the_screen(fresh: World) -> None:
    grace = fresh.portal.owners.named("Grace Ellwood")
    here = record(fresh, "tasks", fresh.task)
    answer = post(fresh.portal, f"{here}/complete", f"sandbox_user={grace.id}", outcome="Reached, not solved yet")
    assert (answer.status, answer.headers["Location"]) == (303, here)
    row = fresh.portal.get("tasks", fresh.task) or {}
    assert (row["hs_task_status"], row["afterword_outcome"]) == ("COMPLETED", "Reached, not solved yet")
    assert row["hs_updated_by_user_id"] == str(grace.user_id)
    assert "Mark as completed" not in text(fresh.portal, here)


def test_the_outcome_of_a_completed_task_is_changed_and_the_task_taken_up_again(fresh: World) -> None:
    here = record(fresh, "tasks", fresh.task)
    post(fresh.portal, f"{here}/complete")
    assert post(fresh.portal, f"{here}/outcome", outcome="Solved").status == 303
    assert (fresh.portal.get("tasks", fresh.task) or {})["afterword_outcome"] == "Solved"
    assert '<option value="Solved" selected>' in text(fresh.portal, here)
    assert post(fresh.portal, f"{here}/reopen").status == 303
    assert "Mark as completed" in text(fresh.portal, here)


def test_an_outcome_that_does_not_exist_is_refused_in_the_crms_words(fresh: World) -> None:
    answer = post(fresh.portal, f"{record(fresh, 'tasks', fresh.task)}/complete", outcome="Shouted at")
    assert answer.status == 400
    assert b"was not one of the allowed options" in answer.body
    assert (fresh.portal.get("tasks", fresh.task) or {})["hs_task_status"] == "NOT_STARTED"


def test_a_ticket_is_moved_to_another_stage_of_its_pipeline(fresh: World) -> None:
    here = record(fresh, "tickets", fresh.ticket)
    row = fresh.portal.get("tickets", fresh.ticket) or {}
    stages = fresh.portal.pipelines.get("tickets", row["hs_pipeline"]).live()
    offered = re.findall(r'<option value="(\d+)"[^>]*>', text(fresh.portal, here).partition('name="stage"')[2])
    assert offered == [each.id for each in stages]
    closing = next(each for each in stages if each.closes)
    assert post(fresh.portal, f"{here}/stage", stage=closing.id).status == 303
    assert (fresh.portal.get("tickets", fresh.ticket) or {})["closed_date"] == "2026-11-20T12:00:00Z"


def test_the_list_is_searched_by_name_and_turned_page_by_page(world: World) -> None:
    name = (world.portal.get("companies", world.company) or {})["name"]
    found = text(world.portal, f"{listing(world, 'companies')}?{urlencode({'q': name.upper()})}")
    assert world.company in found
    assert "1 record" in found
    pages = [text(world.portal, f"{listing(world, 'companies')}?page={page}") for page in (1, 2)]
    ids = [set(re.findall(r"/record/0-2/(\d+)\"", page)) for page in pages]
    assert len(ids[0] | ids[1]) == 40
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("kind", [*TYPES, "calls", "meetings", "emails"])
def test_every_kind_has_a_list_and_every_record_in_it_a_page(world: World, kind: str) -> None:
    held = world.portal.object(kind)
    page = text(world.portal, f"/contacts/{world.portal.portal_id}/objects/{held.type_id}/views/all/list")
    found = re.findall(rf'"(/contacts/\d+/record/{held.type_id}/\d+)"', page)
    assert found
    for target in found[:5]:
        text(world.portal, target)


@pytest.mark.parametrize("target", ["record/0-2/7", "record/0-2/x", "record/9-9/7", "objects/0-19/views/all/list", "x"])
def test_what_is_not_there_is_said_kindly(world: World, target: str) -> None:
    for portal in (world.portal.portal_id, 1):
        answer = get(world.portal, f"/contacts/{portal}/{target}")
        assert (answer.status, b"Nothing here" in answer.body) == (404, True)


def test_an_archived_record_is_gone_from_the_pages(fresh: World) -> None:
    fresh.portal.archive("tasks", fresh.task)
    assert get(fresh.portal, record(fresh, "tasks", fresh.task)).status == 404
    assert (
        f'/{fresh.task}"'
        not in text(fresh.portal, record(fresh, "companies", fresh.company)).partition("Contacts <span")[0]
    )


def test_the_record_that_was_merged_away_shows_what_remains(fresh: World) -> None:
    other = fresh.portal.insert("companies", {"name": "Twice"})
    fresh.portal.merge("companies", fresh.company, [other])
    assert "Maria gave 1 of 5 on ticket 1012" in text(fresh.portal, record(fresh, "companies", other))


def test_switching_the_user_never_leaves_the_site_and_takes_nobody_who_left(world: World) -> None:
    grace = str(world.portal.owners.named("Grace Ellwood").id)
    answer = post(world.portal, "/contacts/as", user=grace, back=record(world, "companies", world.company))
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert f'<option value="{grace}" selected>' in text(world.portal, answer.headers["Location"], cookie)
    away = post(world.portal, "/contacts/as", user=grace, back="https://elsewhere.example/")
    assert away.headers["Location"] == listing(world, "companies")
    gone = str(world.portal.owners.named("Olli Kangas").id)
    assert "Set-Cookie" not in post(world.portal, "/contacts/as", user=gone).headers


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_runs_over_the_side_of_the_screen(world: World, browser: Browser, width: int) -> None:
    with running(world.portal) as server:
        context = browser.new_context(viewport={"width": width, "height": 800}, ignore_https_errors=True)
        page = context.new_page()
        for target in (record(world, "companies", world.company), listing(world, "tickets")):
            page.goto(server.url + target)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, target
        context.close()


def test_a_rep_completes_a_task_in_the_browser_without_scripts(fresh: World, browser: Browser) -> None:
    with running(fresh.portal) as server:
        context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
        page = context.new_page()
        page.goto(server.url + record(fresh, "tasks", fresh.task))
        page.get_by_label("How did it go?").select_option("Solved")
        page.get_by_role("button", name="Mark as completed").click()
        page.get_by_role("button", name="Mark as not completed").wait_for()
        context.close()
    assert (fresh.portal.get("tasks", fresh.task) or {})["afterword_outcome"] == "Solved"
