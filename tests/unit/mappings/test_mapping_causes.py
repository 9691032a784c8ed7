"""The options of Cause are those of config.toml, by key; people read and choose their words."""

from default_mappings import packaged
from mapping_orgs import an_org

from connector.errors import SettingsError
from connector.model import SeenTask
from connector.ports import FieldSchema, Record
from mappings.binding import MappingFile
from mappings.loading import load

CAUSES = {"late": "Came late", "rude": "Were not friendly"}
FIELD = "Afterword_Cause__c"


def mapping(causes: dict[str, str]) -> MappingFile:
    return load(packaged("salesforce"), "m").with_causes(causes)


def test_a_field_for_causes_is_made_with_their_words() -> None:
    fitted, _problems = mapping(CAUSES).fit(an_org())
    (spec,) = (one for one in fitted.wanted_fields() if one.name == FIELD)
    assert (spec.label, spec.type, spec.options) == ("Cause", "picklist", ("Came late", "Were not friendly"))


def test_without_causes_there_is_no_such_field() -> None:
    fitted, problems = mapping({}).fit(an_org())
    assert FIELD not in {one.name for one in fitted.wanted_fields()}
    assert problems == []


def test_what_people_chose_is_read_as_its_key() -> None:
    org = an_org()
    there = FieldSchema(FIELD, "Cause", "picklist", options=tuple(CAUSES.values()), restricted=True)
    org["Task"].fields[FIELD] = there  # type: ignore[index]
    fitted, _problems = mapping(CAUSES).fit(org)
    fields = dict.fromkeys(next(one.fields for one in fitted.queries if one.object == "Task"))
    record = Record("Task", "00T1", "2026-11-16T08:00:00Z", {**fields, "Afterword_Key__c": "k", FIELD: "came late"})
    value = fitted.read("acme", record).value
    assert isinstance(value, SeenTask)
    assert (value.cause, value.shown["cause"]) == ("late", "came late")
    assert fitted.render("task", {"cause": "rude"}) == {"cause": "Were not friendly"}


def test_a_task_hangs_on_kinds_that_there_are() -> None:
    text = packaged("hubspot").replace('related = ["case", "deal"]', 'related = ["case", "dael"]')
    try:
        load(text, "m")
    except SettingsError as error:
        (problem,) = error.problems
    assert ("dael" in problem.what, "deal" in problem.remedy) == (True, True)
