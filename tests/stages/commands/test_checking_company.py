"""What `check` finds about the company's own people and addresses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from lap_world import CONFIG, CSAT, LapWorld
from sqlalchemy import select

from connector.commands.check.company import company_problems, public_address
from connector.errors import Problem
from connector.model import Reason
from connector.store import tables
from connector.surveys.tokens import MARK_HEADER, Tokens


def problems(world: LapWorld) -> dict[str, Problem]:
    return {problem.where.partition(": ")[2]: problem for problem in company_problems(world.installation)}


def users(world: LapWorld, *addresses: str) -> None:
    for number, address in enumerate(addresses):
        world.crm.user(f"User {number}", Email=address)
    world.crm.update(world.rep, {"Email": "ritva@acme.example"})
    world.lap()


def rule(**keys: str) -> str:
    return CSAT + '[follow_up.low]\nwhen = "low"\n' + "".join(f"{key} = {value}\n" for key, value in keys.items())


def test_somebody_who_is_no_user_cannot_be_given_a_task(world: LapWorld) -> None:
    users(world, "bo@acme.example")
    world.configure(rule(assign='["account_owner", "gone@acme.example"]'))
    problem = problems(world)["follow_up.low.assign"]
    assert "gone@acme.example is no active user" in problem.what
    assert problem.severity == "error"
    world.configure(rule(assign='["account_owner", "Ritva@acme.example"]'))
    assert "follow_up.low.assign" not in problems(world)


def test_reports_that_nobody_would_get_are_named(world: LapWorld) -> None:
    weekly = '[reports]\nweekly = "mon 08:00"\n'
    world.configure(rule() + weekly)
    problem = problems(world)["reports.weekly"]
    assert problem.severity == "warning"
    assert "no report is sent" in problem.what
    world.configure(rule() + weekly, config=CONFIG.replace("[web]\n", '[web]\nmanagers = ["cx@acme.example"]\n', 1))
    assert "reports.weekly" not in problems(world)


def test_a_deputy_must_be_a_user_too(world: LapWorld) -> None:
    users(world)
    world.configure(rule() + '[deputies]\n"ritva@acme.example" = "nobody@acme.example"\n')
    assert "deputies.ritva@acme.example" in problems(world)


def test_before_anything_was_read_nobody_is_missed(world: LapWorld) -> None:
    world.configure(rule(assign='["gone@acme.example"]'))
    with world.store.write() as tx:
        tx.execute(tables.owner.delete())
    assert problems(world) == {}


def test_the_domains_that_are_taken_as_ours_are_named(world: LapWorld) -> None:
    users(world, "bo@acme.example", "x@consultant.example")
    problem = problems(world)["limits.internal_domains"]
    assert "taken as yours: acme.example." in problem.what
    assert 'internal_domains = ["acme.example"]' in problem.remedy


def test_our_own_people_are_not_asked_though_no_domain_is_named(world: LapWorld) -> None:
    users(world, "bo@acme.example")
    account = world.account("Northwind")
    case = world.crm.case(account, world.crm.contact(account, "Colleague", Email="colleague@acme.example"))
    world.crm.close(case)
    world.lap()
    with world.store.read() as tx:
        assert tx.execute(select(tables.decision.c.reason)).scalars().all() == [Reason.INTERNAL.value]


def test_a_sender_at_a_free_provider_is_warned_of(world: LapWorld) -> None:
    assert "email.from" not in problems(world)
    text = (world.folder / "config.toml").read_text(encoding="utf-8")
    world.configure("", config=text.replace("care@acme.example", "acme.care@gmail.com"))
    assert "gmail.com" in problems(world)["email.from"].what


@pytest.mark.parametrize("name", ["noreply", "No-Reply", "do_not_reply", "noreply+surveys", "keine-antwort"])
def test_customers_are_not_told_to_write_where_nobody_reads(world: LapWorld, name: str) -> None:
    text = (world.folder / "config.toml").read_text(encoding="utf-8")
    world.configure("", config=text.replace("care@acme.example", f"{name}@acme.example"))
    problem = problems(world)["email.reply_to"]
    assert f"{name}@acme.example" in problem.what
    reply_to = f'from = "Acme <{name}@acme.example>"\nreply_to = "care@acme.example"'
    world.configure("", config=text.replace('from = "Acme Care <care@acme.example>"', reply_to))
    assert "email.reply_to" not in problems(world)


# ── the public address ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def answering(status: int, headers: dict[str, str], asked: list[Message] | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.headers)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def address_problems(world: LapWorld, url: str) -> list[Problem]:
    config = (world.folder / "config.toml").read_text(encoding="utf-8")
    world.configure("", config=config.replace("https://feedback.acme.example", url))
    return list(public_address(world.installation))


def test_an_address_that_leads_here_is_fine(world: LapWorld) -> None:
    mark = Tokens(world.installation.settings.web.signing_keys).mark()
    with answering(503, {MARK_HEADER: mark}) as url:  # laps stand still: another matter
        assert address_problems(world, url) == []


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (200, {}, "is answered by something else (status 200)"),
        (404, {}, "is answered by something else (status 404)"),
        (301, {"Location": "https://www.acme.example/x"}, "leads on to www.acme.example"),
        (200, {MARK_HEADER: "0123456789abcdef"}, "another installation"),
    ],
)
def test_an_address_that_leads_elsewhere_is_an_error(
    world: LapWorld, status: int, headers: dict[str, str], says: str
) -> None:
    with answering(status, headers) as url:
        (problem,) = address_problems(world, url)
    assert says in problem.what
    assert (problem.where, problem.severity) == ("config.toml: web.public_url", "error")


def test_no_password_of_this_machine_is_sent_to_whoever_answers(
    world: LapWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "netrc"
    passwords.write_text("machine localhost login admin password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(passwords))
    asked: list[Message] = []
    with answering(200, {}, asked) as url:
        address_problems(world, url)
    assert [request["Authorization"] for request in asked] == [None]


def test_an_address_where_nothing_answers_is_a_warning(world: LapWorld) -> None:
    with answering(200, {}) as url:
        pass
    (problem,) = address_problems(world, url)
    assert "does not answer" in problem.what
    assert problem.severity == "warning"
