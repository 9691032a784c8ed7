"""What we write moves the record's stamp, so we read it again: that must end there."""

from environment import HOUR, Environment
from incidents import asked


def test_laps_after_a_write_read_it_back_and_write_nothing(either: Environment) -> None:
    asked(either, 1, comment="Nobody called back.")
    either.mark()
    changed = dict[str, int]()
    for step in (HOUR, HOUR, 12 * HOUR):  # a day later the call is overdue, which the record says
        report = either.later(step)
        for kind, counts in report.pulled["acme"].counts.items():
            changed[kind] = changed.get(kind, 0) + counts.changed
        assert (report.scored, report.follow_ups, report.invited) == (0, 0, 0)
    assert either.writes == []
    # HubSpot counts a ticket's activities, which moves its stamp once when our task hangs on it.
    assert changed.get("case", 0) <= 1
    assert {kind for kind, times in changed.items() if times} <= {"task", "case"}
