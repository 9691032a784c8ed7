"""The pages in a real browser: by keyboard, on a small screen, without JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
METRICS = ("csat", "nps", "ces", "composite")
SMALLEST_TARGET = 24

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"the browser tests need {CHROMIUM}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page as strict readers have it: JavaScript is off."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1100, "height": 800})
    yield context.new_page()
    context.close()


@pytest.fixture
def measured(browser: Browser) -> Iterator[Page]:
    """A page 320 px wide in which these tests may measure."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


def test_an_answer_is_given_by_keyboard_alone_and_without_javascript(world, page):
    token = world.invite()
    page.goto(world.link(token))

    for key in ("Tab", "ArrowDown", "ArrowDown", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("It took a while")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/thanks")

    [answer] = world.responses()
    assert (world.ratings(answer.id), answer.comment) == ({"csat": 3.0}, "It took a while")
    assert page.get_by_text("It took a while").is_visible()


def test_the_choice_in_the_mail_needs_nothing_but_the_button(world, page):
    token = world.invite("nps")

    page.goto(world.link(token, "?rating=9"))
    assert page.get_by_role("radio", name="9", exact=True).is_checked()
    assert world.responses() == []
    page.get_by_role("button").click()
    page.wait_for_url("**/thanks")

    assert world.ratings(world.responses()[0].id) == {"nps": 9.0}


def test_a_user_signs_in_and_out_by_the_pages_own_buttons(world, page):
    page.goto(f"{world.url}/accounts/account1")
    page.get_by_label("Your e-mail address in the CRM").fill("jane@acme.example")
    page.get_by_role("button").click()
    page.get_by_text("Look into your mailbox").wait_for()
    [mail] = world.mails(1)
    page.goto(next(word for word in mail.text.split() if "/sign-in/" in word))
    page.get_by_role("button").click()
    page.wait_for_url("**/accounts/account1")
    assert page.get_by_role("heading", name="Virtanen Oy").is_visible()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out").first.wait_for()
    page.goto(f"{world.url}/accounts/account1")
    assert page.get_by_text("Virtanen").count() == 0


def test_nothing_is_marked_before_anybody_has_chosen(world, page):
    page.goto(world.link(world.invite()))

    assert page.locator("input:checked").count() == 0


def test_the_question_and_the_labels_are_what_is_read_aloud(world, page):
    page.goto(world.link(world.invite("nps")))

    question = "How likely is it that you would recommend Acme Care to a friend or colleague?"
    group = page.get_by_role("group", name=question)
    assert group.get_by_role("radio").count() == 11
    assert group.get_by_role("radio", name="0, Not at all likely").count() == 1
    assert group.get_by_role("radio", name="10, Extremely likely").count() == 1
    assert page.get_by_role("textbox", name="What is the main reason for your answer?").count() == 1

    page.goto(world.link(world.invite("csat")))
    assert page.get_by_role("radio", name="4, Satisfied", exact=True).count() == 1


def test_what_is_wrong_is_tied_to_its_question_and_what_was_typed_stays(world, page):
    page.goto(world.link(world.invite()))
    page.get_by_role("textbox").fill("Words that must not be lost")

    page.get_by_role("button").click()

    problem = page.locator("#problem-csat")
    assert problem.inner_text().endswith("Please choose one of the answers.")
    assert page.get_by_role("group").get_attribute("aria-describedby") == "problem-csat"
    assert page.get_by_role("textbox").input_value() == "Words that must not be lost"
    assert world.responses() == []


def test_focus_can_be_seen(world, measured):
    measured.goto(world.link(world.invite()))

    for _ in range(4):
        measured.keyboard.press("Tab")
        seen = measured.evaluate(
            """() => { const at = document.activeElement.closest('.point') ?? document.activeElement;
                       const style = getComputedStyle(at); return [style.outlineStyle, parseFloat(style.outlineWidth)] }"""
        )
        assert seen[0] == "solid"
        assert seen[1] >= 2


@pytest.mark.parametrize("language", ["en", "de", "fi", "zh-CN"])
@pytest.mark.parametrize("metric", METRICS)
def test_nothing_scrolls_sideways_at_320_pixels(world, measured, metric, language):
    token = world.invite(metric, language, label="case 00123 with/a-very-long-word-" + "x" * 60)

    for rest in ("", "?rating=3", "/unsubscribe"):
        measured.goto(world.link(token, rest))
        assert measured.evaluate("document.documentElement.scrollWidth") <= 320
    world.post(token, {"rating": "3", "comment": "y" * 200})
    measured.goto(world.link(token, "/thanks"))
    assert measured.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("metric", METRICS)
def test_targets_are_large_enough_for_a_finger(world, measured, metric):
    measured.goto(world.link(world.invite(metric)))

    sizes = measured.evaluate(
        """() => [...document.querySelectorAll('.point, button, a, textarea')]
                 .map(one => one.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"""
    )
    assert len(sizes) > 5
    assert min(sizes) >= SMALLEST_TARGET


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(world, browser, scheme):
    with browser.new_context(color_scheme=scheme, viewport={"width": 400, "height": 700}) as context:
        page = context.new_page()
        page.goto(world.link(world.invite(), "?rating=2"))
        ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 10
    assert min(ratios) >= 4.5


CONTRAST = """() => {
  const light = color => { const part = color.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2] };
  const ground = node => { for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor; if (!/, 0\\)$|transparent/.test(color)) return color } };
  const texts = [...document.querySelectorAll('body *')].filter(node =>
      [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()));
  return texts.map(node => { const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
}"""


def test_surveys_are_stopped_by_a_button_and_not_by_a_visit(world, page):
    token = world.invite()
    page.goto(world.link(token))
    page.get_by_role("link", name="No more surveys").click()

    page.get_by_role("button", name="Stop surveys").click()

    assert page.get_by_role("heading", name="You will get no more surveys").is_visible()


def test_a_browser_with_javascript_sends_nothing_by_itself(world, browser):
    token = world.invite()
    with browser.new_context() as context:
        page = context.new_page()
        posts = []
        page.on("request", lambda request: posts.append(request.url) if request.method != "GET" else None)
        page.goto(world.link(token, "?rating=1"), wait_until="networkidle")
        page.wait_for_timeout(500)

    assert posts == []
    assert world.responses() == []
