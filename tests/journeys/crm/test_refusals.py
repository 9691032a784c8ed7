"""A mail server that refuses for our sake marks nobody; one that says of too many that they do not exist is not believed."""

from collections import Counter
from dataclasses import dataclass, field

from databases import BOTH_DATABASES
from environment import AFTER_CASE, DAY, HOUR, Environment

from connector.commands.check import checks
from connector.store.ops import connections
from connector.store.surveys import mail_trouble
from tests.adapters.email.mail_servers import SCRIPT, Broken, broken_server

SENDER_UNKNOWN = "550 5.1.8 <care@acme.example>: Sender address rejected: Domain not found"
NO_MAILBOX = "550 5.1.1 <{}>: Recipient address rejected: User unknown in local recipient table"


@dataclass
class Refusing:
    """What a mail server says of each address that it hears of, until it is mended; and what it heard in this lap."""

    env: Environment
    says: dict[int, str] = field(default_factory=dict)
    """By the place in which an address was first heard of, from 1: what is said instead of the usual."""
    usual: str = SENDER_UNKNOWN
    known: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.env.mailbox.on_rcpt = self.hear

    def hear(self, address: str) -> None:
        if address not in self.known:
            self.known.append(address)
        self.heard.append(address)
        words = self.says.get(self.known.index(address) + 1, self.usual)
        if words:
            self.env.mailbox.refused[address] = words.format(address)
        else:
            self.env.mailbox.refused.pop(address, None)

    def lap(self) -> tuple[int, list[str]]:
        """Run a lap an hour later; returns its exit code, and which addresses the server heard of."""
        self.heard.clear()
        return self.env.later(HOUR).exit_code, list(self.heard)


def due(env: Environment, people: int) -> list[str]:
    """So many people who are to be asked in the next lap; their addresses."""
    env.configure(AFTER_CASE)
    account = env.account("Northwind")
    addresses = [f"person-{number:02}@nw.example" for number in range(people)]
    for number, address in enumerate(addresses):
        env.closed_case(account, env.contact(account, f"Person {number}", address))
    env.lap()
    env.advance(DAY)
    return addresses


def got(env: Environment) -> Counter[str]:
    """Count the mails that each address got."""
    return Counter(mail.to for mail in env.mailbox.mails)


def named_by_check(env: Environment, words: str) -> bool:
    """Tell whether `check` names these words among what is wrong with mail."""
    problems = checks.check(env.installation).problems
    return any(words in problem.what and problem.remedy for problem in problems if "email" in problem.where)


def marked(env: Environment) -> set[str]:
    """Return the addresses to which nothing is sent any more."""
    return {bounce["to"] for bounce in env.status()["bounced"]}


def test_a_sender_that_is_refused_silences_nobody(live: Environment) -> None:
    everybody = due(live, 13)
    server = Refusing(live, says={5: NO_MAILBOX})
    for _ in range(4):
        code, heard = server.lap()
        gone = set(server.known[4:5])
        assert code == 1
        assert len([address for address in heard if address not in gone]) <= 3
        assert "Domain not found" in live.status()["mail_error"]["what"]
    assert named_by_check(live, "Sender address rejected: Domain not found")
    assert got(live) == {}
    server.usual = ""
    for _ in range(15):
        if len(got(live)) < 12:
            server.lap()
    (gone_one,) = server.known[4:5]
    assert got(live) == dict.fromkeys(set(everybody) - {gone_one}, 1)
    assert marked(live) == {gone_one}
    assert not named_by_check(live, "Domain not found")
    assert live.status()["mail_error"] is None
    assert server.lap() == (0, [])


def test_the_row_of_refusals_neither_grows_nor_ends_by_a_mailbox_that_is_gone(live: Environment) -> None:
    due(live, 9)
    server = Refusing(live, says={2: NO_MAILBOX, 3: NO_MAILBOX})
    code, heard = server.lap()
    assert (code, len(heard)) == (1, 5)
    assert len(marked(live)) == 2


@BOTH_DATABASES
def test_a_server_that_knows_nobody_any_more_is_not_believed(live: Environment) -> None:
    everybody = due(live, 12)
    server = Refusing(live, usual=NO_MAILBOX, says={1: "", 2: ""})
    code, heard = server.lap()
    assert code == 1
    assert len(heard) == 5
    assert len(marked(live)) == 2
    assert named_by_check(live, "3 of the last 5 addresses were refused")
    for _ in range(3):
        assert server.lap() == (1, [])
    assert len(marked(live)) == 2
    server.says, server.usual = {3: NO_MAILBOX, 4: NO_MAILBOX}, ""
    with live.installation.store.write() as tx:
        connections.resume(tx, None)
        mail_trouble.go_on(tx, live.clock.now())
    assert not named_by_check(live, "addresses were refused")
    for _ in range(3):
        server.lap()
    assert got(live) == dict.fromkeys(set(everybody) - marked(live), 1)
    assert len(got(live)) == 10


def test_some_dead_addresses_among_many_stop_nothing(live: Environment) -> None:
    everybody = due(live, 12)
    server = Refusing(live, usual="", says={3: NO_MAILBOX, 5: NO_MAILBOX, 7: NO_MAILBOX, 9: NO_MAILBOX})
    assert server.lap()[0] == 0
    assert len(marked(live)) == 4
    assert got(live) == dict.fromkeys(set(everybody) - marked(live), 1)


def test_a_server_that_asks_for_patience_gets_it(live: Environment) -> None:
    everybody = due(live, 4)
    server = Refusing(live, usual="451 4.7.1 Greylisting in action, please come back later")
    code, heard = server.lap()
    assert (code, len(heard)) == (1, 3)
    server.usual = ""
    for _ in range(3):
        server.lap()
    assert got(live) == dict.fromkeys(everybody, 1)
    assert marked(live) == set()


def test_a_server_with_a_limit_for_each_minute_is_given_the_rest_in_the_next_laps(live: Environment) -> None:
    everybody = due(live, 7)
    too_fast = "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"
    server = Refusing(live, usual="", says={3: too_fast, 5: too_fast, 6: too_fast})
    code, heard = server.lap()
    assert (code, len(heard)) == (0, 3)
    assert not named_by_check(live, "thread limit")
    server.says = {5: too_fast, 6: too_fast}
    code, heard = server.lap()
    assert (code, len(heard)) == (0, 2), "the one that waits has the longest wait behind it, or comes later"
    server.says = {}
    for _ in range(3):
        server.lap()
    assert got(live) == dict.fromkeys(everybody, 1)
    server = Refusing(live, usual=too_fast)
    due_again = live.record("Contact", live.org.rows("Contact")[0]["Id"])
    live.closed_case(due_again["AccountId"], due_again["Id"])
    live.lap()
    live.advance(DAY)
    code, heard = server.lap()
    assert (code, len(heard)) == (1, 1)
    assert named_by_check(live, "thread limit")


def test_a_server_that_confirms_nothing_costs_three_people_and_no_more(live: Environment) -> None:
    everybody = due(live, 6)
    here, server = live.mail_port, Broken({**SCRIPT, ".": None})
    with broken_server(server) as port:
        live.mail_port = port
        live.configure(AFTER_CASE)
        report = live.lap()
        live.close()
    assert (report.exit_code, report.as_json()["in_doubt"], server.dots) == (1, 3, 3)
    assert report.mail_error is not None
    assert live.status()["queues"]["mails_in_doubt"] == len(live.status()["in_doubt"]) == 3
    doubtful = {one["to"] for one in live.status()["in_doubt"]}
    live.mail_port = here
    live.configure(AFTER_CASE)
    assert named_by_check(live, "cut off before it confirmed")
    for _ in range(3):
        live.later(HOUR)
    assert got(live) == dict.fromkeys(set(everybody) - doubtful, 1)
    assert live.status()["mail_error"] is None
    assert not named_by_check(live, "cut off before it confirmed")
