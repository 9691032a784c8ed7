"""The pages show what a rep sees, to whoever may see it, and let them do a rep's few things."""

import re
from urllib.parse import urlencode

import pages_world
import pytest
from pages_world import World
from playwright.sync_api import Browser
from visiting import get, post, text

from adapters.sandbox.pages import show_to_everybody
from adapters.sandbox.server import running


@pytest.fixture(scope="module")
def world() -> World:
    built = pages_world.build()
    pages_world.pages(built)
    return built


@pytest.fixture
def fresh() -> World:
    built = pages_world.build()
    pages_world.pages(built)
    return built


def record(object_name: str, record_id: str) -> str:
    return f"/lightning/r/{object_name}/{record_id}/view"


def test_every_page_says_that_it_is_pretended(world: World) -> None:
    for target in (record("Account", world.account), "/lightning/o/Account/list", record("Task", world.task)):
        assert "Pretend Salesforce" in re.sub(r"(?s)<title>.*</title>", "", text(world.org, target))


def test_the_root_leads_to_the_accounts(world: World) -> None:
    answer = get(world.org, "/")
    assert (answer.status, answer.headers["Location"]) == (303, "/lightning/o/Account/list")


def test_an_account_shows_the_score_its_mood_and_what_needs_attention(world: World) -> None:
    page = text(world.org, record("Account", world.account))
    for shown in ("Satisfaction", "38", "likely 22 to 55", "Unhappy", "falling", "19 Nov 2026, 10:05"):
        assert shown in page
    assert "Maria gave 1 of 5 on case 00001012" in page
    assert '<a href="https://feedback.northwind.example/accounts"' in page


def test_hidden_fields_are_not_shown_until_an_admin_makes_them_visible() -> None:
    built = pages_world.build(visible=False)
    pages_world.pages(built)
    before = text(built.org, record("Account", built.account))
    assert "The technician never came" not in before.partition("Follow-up tasks")[0]
    assert "you may not see them" in before
    assert "Account.Afterword_Mood__c" in show_to_everybody(built.org, "Afterword_")
    assert "Customer mood" in text(built.org, record("Account", built.account))


def test_an_account_lists_its_people_cases_tasks_and_deals(world: World) -> None:
    page = text(world.org, record("Account", world.account))
    for title in ("Contacts", "Open cases", "Closed cases", "Opportunities", "Follow-up tasks"):
        assert f"{title} <span" in page
    assert world.contact in page
    assert "1 of 5, case 00001012, 19 Nov 2026" in page


def test_a_follow_up_keeps_its_lines_and_its_text_stays_text(world: World) -> None:
    page = text(world.org, record("Account", world.account))
    assert "She wrote:\n“The technician never came.”\n\nCase 00001012 &lt;b&gt;&amp; more&lt;/b&gt;" in page
    assert "Due Fri 20 Nov 2026" in page
    assert "Britta Engelmann" in page


def test_an_address_that_is_no_web_address_is_no_link(fresh: World) -> None:
    fresh.org.update("Account", fresh.account, {"Website": "javascript:alert(1)"})
    page = text(fresh.org, record("Account", fresh.account))
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


def test_completing_a_task_writes_status_and_outcome_as_the_user_at_the_screen(fresh: World) -> None:
    grace = fresh.org.rows("User", Name="Grace Ellwood")[0]["Id"]
    target = f"/lightning/r/Task/{fresh.task}/complete"
    answer = post(fresh.org, target, f"sandbox_user={grace}", outcome="Reached, not solved yet")
    assert (answer.status, answer.headers["Location"]) == (303, record("Task", fresh.task))
    row = fresh.org.get("Task", fresh.task) or {}
    assert (row["Status"], row["Afterword_Outcome__c"]) == ("Completed", "Reached, not solved yet")
    assert row["LastModifiedById"] == grace
    assert "Mark as completed" not in text(fresh.org, record("Task", fresh.task))


def test_an_outcome_that_does_not_exist_is_refused_in_the_crms_words(fresh: World) -> None:
    answer = post(fresh.org, f"/lightning/r/Task/{fresh.task}/complete", outcome="Shouted at")
    assert answer.status == 400
    assert b"bad value for restricted picklist field" in answer.body
    assert (fresh.org.get("Task", fresh.task) or {})["Status"] == "Not Started"


def test_a_case_is_closed_and_reopened(fresh: World) -> None:
    case = next(row for row in fresh.org.rows("Case") if not row["IsClosed"])["Id"]
    assert "Close this case" in text(fresh.org, record("Case", case))
    assert post(fresh.org, f"/lightning/r/Case/{case}/close").status == 303
    closed = fresh.org.get("Case", case) or {}
    assert (closed["IsClosed"], closed["ClosedDate"]) == (True, "2026-11-20T12:00:00.000+0000")
    assert "Reopen this case" in text(fresh.org, record("Case", case))
    assert post(fresh.org, f"/lightning/r/Case/{case}/reopen").status == 303
    assert (fresh.org.get("Case", case) or {})["IsClosed"] is False


def test_the_list_is_searched_by_name_and_turned_page_by_page(world: World) -> None:
    name = (world.org.get("Account", world.account) or {})["Name"]
    found = text(world.org, f"/lightning/o/Account/list?{urlencode({'q': name.upper()})}")
    assert world.account in found
    assert "1 record" in found
    first, second = (text(world.org, f"/lightning/o/Account/list?page={page}") for page in (1, 2))
    ids = [set(re.findall(r"/r/Account/(\w{18})/", page)) for page in (first, second)]
    assert len(ids[0] | ids[1]) == 40
    assert not ids[0] & ids[1]
    assert "Nothing found" in text(world.org, "/lightning/o/Account/list?q=zzz")


@pytest.mark.parametrize("name", ["Account", "Contact", "Case", "Task", "Opportunity", "User"])
def test_every_kind_has_a_list_and_every_record_in_it_a_page(world: World, name: str) -> None:
    for record_id in re.findall(rf"/r/{name}/(\w{{18}})/", text(world.org, f"/lightning/o/{name}/list"))[:5]:
        text(world.org, record(name, record_id))


@pytest.mark.parametrize(
    "target",
    [
        "/lightning/r/Account/001000000000000AAA/view",
        "/lightning/r/Profile/x/view",
        "/lightning/o/Layout/list",
        "/lightning/x",
    ],
)
def test_what_is_not_there_is_said_kindly(world: World, target: str) -> None:
    answer = get(world.org, target)
    assert answer.status == 404
    assert b"Nothing here" in answer.body


def test_a_deleted_record_is_gone_from_the_pages(fresh: World) -> None:
    fresh.org.delete("Task", fresh.task)
    assert get(fresh.org, record("Task", fresh.task)).status == 404
    assert fresh.task not in text(fresh.org, record("Account", fresh.account))


def test_switching_the_user_changes_the_time_zone_but_never_leaves_the_site(world: World) -> None:
    grace = world.org.rows("User", Name="Grace Ellwood")[0]["Id"]
    answer = post(world.org, "/lightning/as", user=grace, back=record("Account", world.account))
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert "19 Nov 2026, 03:05" in text(world.org, answer.headers["Location"], cookie)
    away = post(world.org, "/lightning/as", user=grace, back="https://elsewhere.example/")
    assert away.headers["Location"] == "/lightning/o/Account/list"


def test_an_inactive_user_cannot_be_chosen(world: World) -> None:
    gone = world.org.rows("User", IsActive=False)[0]
    assert f'value="{gone["Id"]}"' not in text(world.org, "/lightning/o/Account/list", f"sandbox_user={gone['Id']}")


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_nothing_runs_over_the_side_of_the_screen(world: World, browser: Browser, width: int) -> None:
    with running(world.org) as server:
        context = browser.new_context(viewport={"width": width, "height": 800}, ignore_https_errors=True)
        page = context.new_page()
        for target in (record("Account", world.account), "/lightning/o/Case/list", record("Task", world.task)):
            page.goto(server.url + target)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, target
        context.close()


def test_a_rep_completes_a_task_in_the_browser_without_scripts(fresh: World, browser: Browser) -> None:
    with running(fresh.org) as server:
        context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
        page = context.new_page()
        page.goto(server.url + record("Task", fresh.task))
        page.get_by_label("How did it go?").select_option("Solved")
        page.get_by_role("button", name="Mark as completed").click()
        page.wait_for_url("**/view")
        context.close()
    assert (fresh.org.get("Task", fresh.task) or {})["Afterword_Outcome__c"] == "Solved"
