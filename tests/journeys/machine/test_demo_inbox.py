"""The demo's inbox shows a mail as its reader gets it, and time waits for whoever looks."""

import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests
from playwright.sync_api import sync_playwright

from connector.demo import run, windows
from connector.demo.mail import ArrivedMail, Inbox
from connector.demo.serving import bound_socket, port_of, served
from connector.demo.windows import PageViews, demo_app
from connector.runtime.clock import SystemClock

CHROMIUM = Path("/usr/bin/chromium")
LINES = 200

needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"the browser tests need {CHROMIUM}")


class OneMail(Inbox):
    """An inbox with one long mail."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        message = EmailMessage()
        message["Subject"] = "How did it go?"
        text = "".join(f"<p>Line {number}</p>" for number in range(LINES))
        message.set_content(f"<html><head></head><body>{text}<a id=end href='/stop'>Stop</a></body></html>", "html")
        self.mail = ArrivedMail(0, datetime(2026, 11, 22, tzinfo=UTC), "maria@customer.example", message)

    def get(self, number: int) -> ArrivedMail | None:
        return self.mail if number == 0 else None


@needs_chromium
def test_the_whole_mail_is_shown_down_to_its_last_link() -> None:
    bound = bound_socket()
    with served(demo_app(OneMail(), [], PageViews()), bound), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 500, "height": 700})
            page.goto(f"http://127.0.0.1:{port_of(bound)}/inbox/0")
            page.wait_for_function("document.querySelector('iframe').clientHeight > 700")
            end = page.frame_locator("iframe").locator("#end").bounding_box()
            frame = page.locator("iframe").bounding_box()
        finally:
            browser.close()
    assert end is not None
    assert frame is not None
    assert end["y"] + end["height"] <= frame["y"] + frame["height"]


def test_who_opens_a_page_is_looking_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, bound = PageViews(), bound_socket()
    assert not looks.lately()
    with served(demo_app(OneMail(), [], looks), bound):
        assert requests.get(f"http://127.0.0.1:{port_of(bound)}/inbox/0", timeout=300).status_code == 200
    assert looks.lately()
    monkeypatch.setattr(windows, "LOOK_S", 0.0)
    assert not looks.lately()


class LooksTwice(PageViews):
    """Somebody who looks away at the third question."""

    asked = 0

    def lately(self) -> bool:
        self.asked += 1
        return self.asked <= 2


def test_no_hour_passes_while_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HOUR_S", 0.001)
    looks, stop = LooksTwice(), threading.Event()
    assert run.hour_has_passed(stop, looks)
    assert looks.asked == 3
    stop.set()
    assert not run.hour_has_passed(stop, looks)
