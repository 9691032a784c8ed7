"""`afterword run`: laps and pages in one process, as an admin starts and stops it."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import requests
from databases import BOTH_DATABASES
from environment import AFTER_CASE, UNHAPPY, Environment, wait_for

RULES = AFTER_CASE.replace("24h", "0s") + UNHAPPY


@contextmanager
def service(env: Environment) -> Iterator[subprocess.Popen[str]]:
    """Run the service until the block ends, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env.web = f"http://127.0.0.1:{port}"
    env.configure(RULES)
    text = env.config.read_text(encoding="utf-8")
    env.write_config(text.replace("[web]", f'[web]\nlisten = "127.0.0.1:{port}"', 1))
    words = [sys.executable, "-m", "connector.cli.app", "run", "-c", str(env.config)]
    output = env.folder / "run.txt"
    with (
        output.open("w", encoding="utf-8") as file,
        subprocess.Popen(words, cwd=env.folder, stdout=file, stderr=subprocess.STDOUT, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def is_up(env: Environment) -> bool:
    try:
        return requests.get(f"{env.web}/healthz", timeout=60).text == "ok\n"
    except requests.ConnectionError:
        return False


@BOTH_DATABASES
def test_an_answer_is_in_the_crm_without_waiting_for_the_next_lap_and_sigterm_ends_it(today: Environment) -> None:
    today.configure(RULES + '[schedule]\nsync = "2h"\n')
    assert today.command("sync").code == 0
    account = today.account("Northwind")
    maria = today.contact(account, "Maria Virtanen", "maria@nw.example")
    today.closed_case(account, maria)
    with service(today) as process:
        wait_for(lambda: is_up(today))
        wait_for(lambda: bool(today.mailbox.mails))  # the first lap begins at once
        wait_for(lambda: bool(today.status()["laps"][0]["ended"]))
        today.answer(today.mailbox.mails[0], 1, "Nobody called back.")
        # An answer begins a lap; by itself the next one would begin in two hours.
        wait_for(lambda: bool(today.tasks()))
        assert "Nobody called back." in today.shows("Account", account)["Summary"]
        assert today.shows("Contact", maria)["Last_Rating"].startswith("1 of 5")
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
    said = (today.folder / "run.txt").read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert "stopped" in said
    assert today.mailbox.mails[0].survey.rpartition("/")[2] not in said  # no token in the log


def test_a_survey_is_answered_while_a_sign_in_mail_hangs_and_others_do_their_worst(today: Environment) -> None:
    today.configure(RULES)
    today.rep("Jane Doe", JANE)
    assert today.command("sync").code == 0
    accounts = [today.account(name) for name in ("Northwind", "Southwind")]
    for number, account in enumerate(accounts):
        today.closed_case(account, today.contact(account, f"Person {number}", f"p{number}@customer.example"))
    may_go_on = threading.Event()
    with service(today) as process, ExitStack() as stack:
        stack.callback(may_go_on.set)
        wait_for(lambda: is_up(today))
        wait_for(lambda: len(today.mailbox.mails) == 2)
        today.mailbox.on_mail = lambda _mail: hang(may_go_on)
        addresses = [JANE, *(f"nobody{number}@acme.example" for number in range(59))]
        asked = [sign_in(today, address) for address in addresses]
        assert {page.status_code for page in asked} == {200, 429}
        assert len({page.text for page in asked if page.status_code == 200}) == 1
        wait_for(lambda: bool(today.mailbox.to(JANE)))  # the mail server has it, and does not say so

        there = urlsplit(today.web)
        for _ in range(50):
            half = stack.enter_context(socket.create_connection((there.hostname, there.port)))
            half.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\naddress=")
        flooded, survey = (mail.survey for mail in today.mailbox.mails[:2])
        corrections = [answer(flooded, 1 + number % 5, str(number)) for number in range(20)]
        assert corrections == [303] * 10 + [429] * 10
        assert requests.get(survey, timeout=300).status_code == 200
        assert answer(survey, 2, "Slow") == 303

        may_go_on.set()
        wait_for(lambda: [today.shows("Account", account).get("People") for account in accounts] == [1, 1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
    assert len([mail for mail in today.mailbox.to(JANE) if "/sign-in/" in mail.text]) == 1
    assert "Traceback" not in (today.folder / "run.txt").read_text(encoding="utf-8")


JANE = "jane@acme.example"


def hang(may_go_on: threading.Event) -> None:
    assert may_go_on.wait(500)


def sign_in(env: Environment, address: str) -> requests.Response:
    return requests.post(f"{env.web}/sign-in", data={"address": address, "account": "a"}, timeout=300)


def answer(survey: str, rating: int, comment: str) -> int:
    given = {"rating": str(rating), "comment": comment}
    return requests.post(survey, data=given, allow_redirects=False, timeout=300).status_code


def test_a_port_that_is_taken_is_told_by_its_key_and_no_lap_is_run(today: Environment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        today.configure(RULES)
        listen = f'[web]\nlisten = "127.0.0.1:{other.getsockname()[1]}"'
        today.write_config(today.config.read_text(encoding="utf-8").replace("[web]", listen, 1))
        before = today.org.log.mark()
        done = today.command("run")
        assert done.code == 2
        assert "config.toml: web.listen" in done.err
        assert "is taken" in done.err
        assert "serving" not in done.err
        assert today.org.log.mark() == before
        assert today.status()["laps"] == []


def test_sigterm_in_the_middle_of_reading_ends_it_in_time(today: Environment) -> None:
    today.org.rows_per_page = 1
    account = today.account("Northwind")
    for number in range(40):
        today.contact(account, f"Person {number}", f"p{number}@nw.example")
    today.org.faults.slow(0.3, path="/query", times=None)
    with service(today) as process:
        wait_for(lambda: is_up(today))
        wait_for(lambda: any(call.sobject == "Contact" for call in today.org.log))
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
    assert sum(call.sobject == "Contact" for call in today.org.log) < 40  # it did not read to the end first
    today.org.faults.clear()
    assert "Traceback" not in (today.folder / "run.txt").read_text(encoding="utf-8")
    done = today.command("sync")
    assert done.code == 0, done
