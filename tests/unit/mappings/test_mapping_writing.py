"""What we write, in the CRM's own form; and what the CRM would not see as a difference."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from default_mappings import packaged
from hypothesis import given
from hypothesis import strategies as st
from mapping_orgs import a_field, an_org, with_fields

from connector.errors import MappingError
from connector.model import Mood, Ref
from mappings.loading import load

MAPPING = load(packaged("salesforce")).fit(an_org())[0]
MOMENT = datetime(2026, 11, 12, 10, 0, 0, 987654, UTC)


def test_our_names_lead_to_the_crms() -> None:
    assert MAPPING.object_of("task") == "Task"
    assert MAPPING.crm_field("account", "low") == "Afterword_Satisfaction_From__c"
    assert MAPPING.names("contact") == {"last_rating", "last_asked", "no_surveys"}


def test_an_account_in_the_crms_form() -> None:
    values = {
        "satisfaction": 82.5,
        "mood": Mood.HAPPY,
        "last_answer": MOMENT,
        "nps": None,
        "summary": "x" * 300,
        "luck": 1,
    }
    assert MAPPING.render("account", values) == {
        "satisfaction": 83,
        "mood": "Happy",
        "last_answer": "2026-11-12T10:00:00Z",
        "nps": None,
        "summary": "x" * 254 + "…",
    }


def test_a_task_in_the_crms_form() -> None:
    values = {
        "key": "fu-1",
        "subject": " Call Maria ",
        "priority": "high",
        "status": "open",
        "due": datetime(2026, 11, 13, 23, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Helsinki")),
        "owner": Ref("acme", "User", "005A"),
        "contact": None,
        "account": Ref("acme", "Account", "001A"),
    }
    assert MAPPING.render("task", values) == {
        "key": "fu-1",
        "subject": "Call Maria",
        "priority": "High",
        "status": "Not Started",
        "due": "2026-11-14",
        "owner": "005A",
        "contact": None,
        "account": "001A",
    }


def test_a_crm_that_keeps_the_moment_of_a_due_time_gets_it() -> None:
    text = packaged("salesforce").replace('due = "ActivityDate"', 'due_at = "Due__c"')
    mapping = load(text).fit(with_fields(an_org(), "Task", a_field("Due__c", "datetime")))[0]
    assert mapping.render("task", {"due": MOMENT.date(), "due_at": MOMENT}) == {"due_at": "2026-11-12T10:00:00Z"}


def test_a_value_that_has_no_form_names_its_field() -> None:
    with pytest.raises(MappingError, match="Afterword_Mood__c: 'Glad'") as caught:
        MAPPING.render("account", {"mood": "Glad"})
    assert caught.value.field == "Afterword_Mood__c"


@pytest.mark.parametrize(
    ("target", "name", "wanted", "shown"),
    [
        ("account", "satisfaction", 83, 83.0),
        ("account", "satisfaction", 83, "83"),
        ("account", "satisfaction", None, ""),
        ("account", "summary", "a\nb", " a\r\nb "),
        ("account", "summary", None, ""),
        ("account", "last_answer", "2026-11-12T10:00:00Z", "2026-11-12T12:00:00.000+0200"),
        ("account", "last_answer", "2026-11-12T10:00:00Z", "2026-11-12T10:00:00.400Z"),
        ("task", "due", "2026-11-12", date(2026, 11, 12)),
        ("contact", "no_surveys", None, False),
        ("contact", "no_surveys", True, "true"),
    ],
)
def test_what_the_crm_takes_for_the_same(target: str, name: str, wanted: Any, shown: Any) -> None:
    assert not MAPPING.differs(target, name, wanted, shown)


@pytest.mark.parametrize(
    ("target", "name", "wanted", "shown"),
    [
        ("account", "satisfaction", 0, None),
        ("account", "satisfaction", 83, 84.0),
        ("account", "satisfaction", 83, "a lot"),
        ("account", "summary", "Good", "good"),
        ("account", "last_answer", "2026-11-12T10:00:00Z", "2026-11-12T10:00:01.000Z"),
        ("account", "last_answer", "2026-11-12T10:00:00Z", None),
        ("contact", "no_surveys", True, False),
    ],
)
def test_what_the_crm_takes_for_different(target: str, name: str, wanted: Any, shown: Any) -> None:
    assert MAPPING.differs(target, name, wanted, shown)


@given(
    st.fixed_dictionaries(
        {
            "satisfaction": st.none() | st.floats(0, 100),
            "summary": st.none() | st.text(max_size=400),
            "last_answer": st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
            "mood": st.none() | st.sampled_from(Mood),
        }
    )
)
def test_what_was_written_never_differs_from_itself(values: dict[str, Any]) -> None:
    written = MAPPING.render("account", values)
    assert MAPPING.render("account", written) == written
    for name, value in written.items():
        assert not MAPPING.differs("account", name, value, value)


def test_what_people_say_in_the_crm_is_theirs_to_edit() -> None:
    edited = {spec.name for spec in MAPPING.wanted_fields() if spec.edited}
    assert edited >= {"Afterword_No_Surveys__c", "Afterword_Outcome__c"}
    assert "Afterword_Mood__c" not in edited
