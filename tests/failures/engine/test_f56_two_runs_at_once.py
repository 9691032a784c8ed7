"""While one run works with a CRM, a second one says so and leaves that CRM alone."""

from environment import DAY, HOUR, Environment
from incidents import accounts, during

from connector.app import wiring
from connector.stages import lap
from connector.stages.lap import Report

WRITING = r"composite/sobjects|(companies|tasks)/batch"


def second_run(env: Environment) -> Report:
    """Start a run of its own on the same store, as a scheduler beside a person does."""
    other = wiring.build(wiring.read_settings(env.config, {}), clock=env.clock)
    try:
        return lap.run(other)
    finally:
        for endpoint in other.endpoints:
            endpoint.adapter.close()
        assert other.channel is not None
        other.channel.close()
        other.store.close()


def test_who_comes_while_somebody_reads_or_writes_leaves_that_to_them_and_says_so(either: Environment) -> None:
    account = either.account("Northwind")
    either.close_case(either.case(account, either.contact(account, "Maria Virtanen", "maria@nw.example")))
    either.advance(HOUR)
    reports = list[Report]()

    def come() -> None:
        reports.append(second_run(either))

    with during(either, accounts(either), come):
        first = either.lap()
    either.later(DAY)
    either.answer(either.mailbox.mails[0], 1)
    with during(either, WRITING, come):
        last = either.lap()
    assert (first.busy, last.busy) == ([], [])
    assert [report.busy[:1] for report in reports] == [["acme"]] * 2
    reading, writing = reports
    assert sum(reading.calls.values()) == 0
    assert not (writing.pulled and writing.written), "what the first was at was left to it"
    assert (len(either.mailbox.mails), len(either.tasks())) == (1, 1)
    either.mark()
    either.later(12 * HOUR)  # a day later the call is overdue, which the record says
    assert either.writes == []


def test_the_next_run_finds_the_crm_free(either: Environment) -> None:
    either.account("Northwind")
    either.advance(HOUR)
    report = second_run(either)
    assert (report.busy, report.pulled["acme"].counts["account"].read) == ([], 1)
