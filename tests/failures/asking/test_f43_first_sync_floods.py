"""Whatever ended before a connection went live is never asked about, however often it is read."""

from environment import DAY, HOUR, Environment
from incidents import rows

from connector.store import tables


def test_history_is_read_and_nobody_is_asked_about_it(either_new: Environment) -> None:
    account = either_new.account("Northwind")
    for number in range(5):
        contact = either_new.contact(account, f"P{number}", f"p{number}@nw.example")
        either_new.close_case(either_new.case(account, contact))
    either_new.advance(HOUR)
    either_new.lap()
    either_new.later(2 * DAY)
    assert either_new.mailbox.mails == []
    assert len(rows(either_new, tables.interaction)) == 5
    assert rows(either_new, tables.decision) == []
    for ended in rows(either_new, tables.interaction):
        assert "because it ended before the survey, or the present mapping, went live" in either_new.why(ended.id)


def test_reading_everything_again_asks_nobody_a_second_time(either: Environment) -> None:
    account = either.account("Northwind")
    either.close_case(either.case(account, either.contact(account, "Maria", "maria@nw.example")))
    either.later(HOUR)
    either.later(DAY)
    assert len(either.mailbox.mails) == 1
    with either.installation.store.write() as tx:
        tx.execute(tables.cursor.delete())
        tx.execute(tables.binding.update().values(content_hash=""))
    for _ in range(3):
        either.later(DAY)
    assert len(either.mailbox.mails) == 1
