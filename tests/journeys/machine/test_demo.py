"""`afterword demo`: the whole product on one machine, seen from outside as a process."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from rich.console import Console

from adapters.sandbox.customers import Deed
from connector.demo import run
from connector.demo.expectations import Evidence, broken
from connector.demo.mail import ArrivedMail
from connector.demo.output import DayPrinter
from connector.demo.people import Person
from connector.demo.records import FollowUpTask
from connector.domain.working_time import WorkingTime
from connector.errors import Unavailable
from connector.model import Ref
from connector.settings.value_readers import working_hours
from connector.stages.lap import Report
from connector.stages.write_back.stage import WriteCounts

AFTERWORD = Path(sys.executable).with_name("afterword")
FIGURE = re.compile(r"Satisfaction +\(empty\) -> \d+$", re.MULTILINE)
SUMMARY = re.compile(
    r"(\d+) mails sent, (\d+) answers, (\d+) links opened by scanners that recorded nothing, (\d+) tasks, (\d+) writing calls"
)


def test_once_tells_what_the_crm_shows_before_and_after_and_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [AFTERWORD, "demo", "--once"], cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(FIGURE.findall(done.stdout)) >= 4
    assert re.search(r"Customer mood +\(empty\) -> Unhappy", done.stdout)
    assert re.search(
        r"^    HubSpot shows the same, but for\n(?:    (?:Needs attention|What they say) .+\n)+    Open in Afterword +http\S+\n$",
        done.stdout,
        re.MULTILINE,
    )
    assert {place for place in ("in Salesforce; for", "in HubSpot; for") if place in done.stdout} == {
        "in Salesforce; for",
        "in HubSpot; for",
    }
    assert re.search(r"^Call .* by \w{3} \d\d:\d\d: [12] of 5 \(.*dissatisfied\), ", done.stdout, re.MULTILINE)
    assert "asked 2 times, no answer by" in done.stdout
    assert re.search(r"got [0-9]+ mails about follow-ups, nobody more:$", done.stdout, re.MULTILINE)
    assert "a customer whom both know has one score" in done.stdout
    found = SUMMARY.search(done.stdout)
    assert found is not None
    assert all(int(number) >= 5 for number in found.groups())
    assert list(tmp_path.iterdir()) == []


@contextmanager
def staying(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the demo that stays, with its output in a file; it is gone at the end whatever happens."""
    with (folder / "output.txt").open("w", encoding="utf-8") as output:
        running = subprocess.Popen(
            [AFTERWORD, "demo"],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            yield running
        finally:
            running.kill()
            running.wait(timeout=300)


def wait_for(folder: Path, pattern: str, running: subprocess.Popen[str], *, seconds: float = 300) -> re.Match[str]:
    """Return what the output says, as soon as it says it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and running.poll() is None:
        found = re.search(pattern, (folder / "output.txt").read_text(encoding="utf-8"))
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError((folder / "output.txt").read_text(encoding="utf-8"))


def test_the_demo_that_stays_can_be_looked_at_and_ends_in_order(tmp_path: Path) -> None:
    with staying(tmp_path) as running:
        desk = wait_for(tmp_path, r"Open (http://localhost:\d+):", running)[1]
        first = wait_for(tmp_path, r"mail +to (\S+@\S+): (.*)", running)

        home = re.findall(r'href="(/[^"]*)"', requests.get(desk, timeout=300).text)
        pages = [requests.get(f"{desk}{path}", timeout=300) for path in home]
        inbox = requests.get(f"{desk}/inbox", timeout=300).text
        mail = requests.get(f"{desk}/inbox/0/body", timeout=300).text
        survey = requests.get(re.findall(r'href="([^"]+/s/[^"?]+)', mail)[0], timeout=300)
        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=300)

    said = (tmp_path / "output.txt").read_text(encoding="utf-8")
    assert first[1] in inbox
    assert [page.status_code for page in pages] == [200] * 5
    assert survey.status_code == 200
    assert "<form" in survey.text
    assert code == 0
    assert said.rstrip().endswith("The demo has ended.")
    assert "Traceback" not in said


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "demo" / "config.toml"
    mine.parent.mkdir()
    mine.write_text("[store]\n", encoding="utf-8")

    done = subprocess.run([AFTERWORD, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 2
    assert "demo" in done.stderr
    assert [path.name for path in mine.parent.iterdir()] == ["config.toml"]
    assert mine.read_text(encoding="utf-8") == "[store]\n"


def test_time_goes_on_after_the_story_and_nothing_is_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PACE_S", 0.0)
    monkeypatch.setattr(run, "HOUR_S", 0.3)
    monkeypatch.setattr(run, "WORKING_DAYS", 1)
    said = io.StringIO()
    before = threading.enumerate()

    def interrupt_when_a_record_moved() -> None:
        until = time.monotonic() + 300
        while time.monotonic() < until and "  record  " not in said.getvalue():
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt_when_a_record_moved)
    watcher.start()
    code = run.stay(Console(file=said, width=300), tmp_path / "demo", seed=2)
    watcher.join()

    assert code == 0
    assert re.search(r"^Tue 03 Nov .*  record  .*: ", said.getvalue(), re.MULTILINE), said.getvalue()
    assert threading.enumerate() == before


# ── what the demo looks at before it says that all is well ───────────────────────────────────────────────────────────

AT = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
ADDRESS = "maria@acme.example"
ANSWER = Deed(ADDRESS, "answered", AT, 1, 5)
HERE, THERE = Ref("salesforce", "Account", "a1"), Ref("hubspot", "companies", "b1")
MARIA, HER_OTHER = Ref("salesforce", "Contact", "c1"), Ref("hubspot", "contacts", "d1")
TASK = FollowUpTask(
    ref=Ref("salesforce", "Task", "t1"),
    key="k1",
    account=HERE,
    contact="c1",
    subject="Call Maria",
    owner="Jukka Rautio",
    due="2026-11-05",
    priority="High",
    status="Not Started",
    outcome=None,
    body="Why",
)
RATED = {"last_rating": "1 of 5, case 1, 4 Nov 2026"}
SCORE = {"mood": "Last answer bad", "people": 1.0}


def mail(
    subject: str = "How did it go? (case 1)", at: datetime = AT - timedelta(hours=3), page: str = "one"
) -> ArrivedMail:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content(f'<a href="https://care.acme.example/s/{page}?rating=1">1</a>', subtype="html")
    return ArrivedMail(0, at, ADDRESS, message)


def notice(at: datetime = AT) -> ArrivedMail:
    """Return a mail to one of our own people."""
    message = EmailMessage()
    message["Subject"] = "Customers who need a call: 1 new answer"
    message.set_content("<p>Maria</p>", subtype="html")
    return ArrivedMail(0, at, "jukka@northwind.example", message)


def evidence() -> Evidence:
    """What is seen when one person, known in both CRMs, was asked once, answered 1 of 5, and a rep is told to call."""
    return Evidence(
        first=Report(),
        reports=[Report()],
        idle=Report(),
        mails=[mail()],
        deeds=[ANSWER],
        people={ADDRESS: Person("Maria Virtanen", "acme.example", (MARIA, HER_OTHER))},
        contacts={MARIA: RATED, HER_OTHER: RATED},
        accounts={HERE: {**SCORE, "details": "one"}, THERE: {**SCORE, "details": "two"}},
        customers={HERE: "acme.example", THERE: "acme.example"},
        tasks=[TASK],
        working=WorkingTime(ZoneInfo("Europe/Helsinki"), working_hours("mon-fri 08:00-17:00"), frozenset()),
        zones={},
        quiet_period=timedelta(days=7),
        foreign_changes=[],
    )


def test_a_story_that_went_well_breaks_nothing() -> None:
    assert broken(evidence()) == []


BREAKAGES: dict[str, Callable[[Evidence], Evidence]] = {
    "The first lap asked 2 people": lambda seen: replace(seen, first=Report(invited=2)),
    "1 lap did not end well": lambda seen: replace(seen, reports=[Report(failures={"acme": [Unavailable("down")]})]),
    "Nobody got a mail": lambda seen: replace(seen, mails=[]),
    'got the mail "How did it go? (case 1)" 2 times': lambda seen: replace(seen, mails=[mail(), mail()]),
    "asked on 04 Nov 06:00 and again on 10 Nov 09:00": lambda seen: replace(
        seen, mails=[mail(), mail("How did it go? (ticket 2)", AT + timedelta(days=6), "two")]
    ),
    "jukka@northwind.example got 3 mails about follow-ups on 04 Nov": lambda seen: replace(
        seen, mails=[mail(), *(notice(AT + timedelta(hours=hours)) for hours in range(3))]
    ),
    '1 new answer" outside working hours, Sat': lambda seen: replace(
        seen, mails=[mail(), notice(AT + timedelta(days=3))]
    ),
    '1 new answer" outside working hours, Wed': lambda seen: replace(
        seen, mails=[mail(), notice(AT + timedelta(hours=12))]
    ),
    "Nobody answered": lambda seen: replace(seen, deeds=[]),
    "never answered, but the record says: 1 of 5": lambda seen: replace(
        seen, deeds=[replace(ANSWER, did="nothing", scans=12)]
    ),
    "gave 1 of 5, but the record says: nothing": lambda seen: replace(seen, contacts={}),
    "gave 1 of 5, but the record says: ['5 of 5": lambda seen: replace(
        seen, contacts={MARIA: {"last_rating": "5 of 5, case 1"}}
    ),
    "acme.example answered, but hubspot does not show it": lambda seen: replace(seen, accounts={HERE: SCORE}),
    "salesforce and hubspot do not show the same people": lambda seen: replace(
        seen, accounts={HERE: SCORE, THERE: SCORE | {"people": 2.0}}
    ),
    "had opted out of e-mail, and got some": lambda seen: replace(
        seen, people={ADDRESS: replace(seen.people[ADDRESS], opted_out=True)}
    ),
    "wanted no more surveys, and got one": lambda seen: replace(
        seen,
        deeds=[ANSWER, replace(ANSWER, did="unsubscribed", at=AT + timedelta(days=1))],
        mails=[mail(), mail("How did it go? (case 2)", AT + timedelta(days=2), "two")],
    ),
    'The task "Call Maria" was made 2 times': lambda seen: replace(seen, tasks=[TASK, replace(TASK, key="k2")]),
    "Follow-up k1 has 2 tasks": lambda seen: replace(seen, tasks=[TASK, replace(TASK, account=THERE)]),
    "there is no task on the account": lambda seen: replace(seen, tasks=[]),
    "nothing had happened made 3 writes": lambda seen: replace(
        seen, idle=Report(written={"acme": WriteCounts(created=1, updated=2)})
    ),
    "hubspot b1: a field that is not ours changed": lambda seen: replace(seen, foreign_changes=["hubspot b1"]),
}


def test_a_reminder_and_a_task_in_the_other_crm_break_nothing() -> None:
    reminded = [mail(), mail("Reminder: how did it go? (case 1)", AT - timedelta(hours=1))]
    assert broken(replace(evidence(), mails=reminded, tasks=[replace(TASK, account=THERE)])) == []


def test_two_mails_a_day_to_one_of_our_people_break_nothing() -> None:
    mails = [mail(), *(notice(AT + timedelta(days=days, hours=hours)) for days in (0, 1) for hours in (0, 5))]
    assert broken(replace(evidence(), mails=mails)) == []


def test_an_answer_is_told_on_its_scale() -> None:
    ten = replace(ANSWER, rating=9, points=11)
    shown = {MARIA: {"last_rating": "9 of 10, case 1"}}
    assert broken(replace(evidence(), deeds=[ten], contacts=shown)) == []
    (told,) = [one for one in broken(replace(evidence(), deeds=[ten])) if "the record says" in one]
    assert "gave 9 of 10, but the record says" in told


def test_a_day_is_told_with_one_or_several_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    printer = DayPrinter(Console(soft_wrap=True))
    for kind in ("mail", "mail", "answer", "work", "task", "task"):
        printer.announce(kind, "whatever")
    printer.end_of_day(AT)
    assert capsys.readouterr().out.endswith("  1 piece of work, 2 mails, 1 answer, 2 tasks done\n")


@pytest.mark.parametrize("sentence", BREAKAGES)
def test_what_does_not_hold_is_told(sentence: str) -> None:
    assert any(sentence in one for one in broken(BREAKAGES[sentence](evidence())))
