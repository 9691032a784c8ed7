"""The CRM does what it was asked and its answer is lost: asking again makes no second task."""

from house import DAY, HOUR, House
from incidents import asked


def test_a_task_whose_making_was_never_confirmed_is_there_once(either: House) -> None:
    asked(either)
    either.answer(either.mailbox.mails[0], 1, "Nobody called back.")
    writing = r"composite/sobjects" if hasattr(either.org, "rows_per_page") else r"tasks/batch"
    dropped = either.org.faults.drop("after", path=writing, times=50)
    either.lap()
    assert dropped.hits
    either.org.faults.clear()
    for _ in range(3):
        either.later(HOUR)
    assert len(either.tasks()) == 1
    either.mark()
    either.later(DAY)
    assert either.writes == []
