"""A record that is refused is set aside with the reason, and sent again only when something has changed that may help."""

import pytest
from default_mappings import packaged
from environment import DAY, HOUR, Environment, mapping_line
from incidents import asked, rename, rows, words

from connector.store import tables

RULE = "Gold customers are changed by their manager only."


@pytest.fixture
def refused(either: Environment) -> dict[str, str]:
    """Who answered on an account that a rule of the CRM keeps us from changing."""
    who = asked(either)
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION" if words(either, "Account") == "Account" else "VALIDATION_ERROR"
    either.org.faults.refuse_row(words(either, "Account"), code, RULE, key=who["account"], operation="update")
    either.answer(either.mailbox.mails[0], 5)
    assert either.lap().exit_code == 1
    return who


def test_the_same_write_is_not_tried_again_and_stays_reported(either: Environment, refused: dict[str, str]) -> None:
    either.mark()
    for step in (HOUR, HOUR, 20 * HOUR):
        report = either.later(step)
        assert (report.exit_code, report.written["acme"].refused) == (1, 1)
    assert either.writes == []
    (row,) = rows(either, tables.refused_record, direction="write")
    assert (row.attempts, refused["account"] in row.key) == (1, True)
    (told,) = either.status()["refused"]
    assert RULE in told["what"]
    assert told["remedy"]


def test_once_a_day_it_is_tried_again_since_a_rule_of_the_crm_may_have_changed(
    either: Environment, refused: dict[str, str]
) -> None:
    either.mark()
    either.later(DAY)
    either.later(HOUR)
    assert len(either.writes) == 1
    either.org.faults.clear()
    assert either.later(DAY).exit_code == 0
    assert either.figures(words(either, "Account"), refused["account"])["people"] in (1, "1")


@pytest.mark.parametrize("what", ["record", "mapping"])
def test_a_change_of_the_record_or_of_the_mapping_lets_it_be_tried_again(
    either: Environment, refused: dict[str, str], what: str
) -> None:
    either.org.faults.clear()
    either.advance(HOUR)
    if what == "record":
        rename(either, refused["account"], "Northwind Traders")
    else:
        text = packaged(either.ADAPTER).replace('length = 255, help = "Who gave', 'length = 100, help = "Who gave')
        either.configure(extra=mapping_line(either, text))
    assert either.lap().exit_code == 0
    assert either.figures(words(either, "Account"), refused["account"])["people"] in (1, "1")
    assert rows(either, tables.refused_record) == []
