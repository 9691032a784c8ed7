"""One survey asks one person about one interaction once, whatever happens to the record afterwards."""

from environment import DAY, HOUR, Environment
from incidents import asked, words


def test_edits_and_a_second_closing_do_not_ask_again_about_the_same_case(either: Environment) -> None:
    who = asked(either)
    case = words(either, "Case")
    field = "Subject" if case == "Case" else "subject"
    for number in range(3):
        either.org.update(case, who["case"], {field: f"Edited {number}"})
        either.later(HOUR)
    either.reopen(who["case"])
    either.later(HOUR)
    either.close_case(who["case"])
    either.later(HOUR)
    either.later(2 * DAY)
    assert len(either.mailbox.to(who["email"])) == 1
