"""Whatever a CRM hides and whatever it holds: fitting and reading never raise, and only what is there is asked for."""

from typing import Any

from default_mappings import packaged
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_orgs import an_org, without

from connector.ports import ObjectSchema, Record
from mappings.bound import FittedMapping
from mappings.loading import load

FILE = load(packaged("salesforce"), "m.toml")
WHOLE = FILE.fit(an_org())[0]
FIELDS = [(name, field) for name, schema in an_org().items() for field in schema.fields]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["2026-11-12T10:00:00.000+0000", "2026-11-12", "Call", "Customer", "true", "005A", "003M"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    query = draw(st.sampled_from(WHOLE.queries))
    given_fields = draw(st.sets(st.sampled_from(query.fields))) if draw(st.booleans()) else set(query.fields)
    fields: dict[str, Any] = {path: draw(VALUES) for path in sorted(given_fields)}
    return Record(query.object, "X1", "stamp", fields, deleted=draw(st.booleans()))


def fit_without(hidden: set[tuple[str, str]]) -> tuple[FittedMapping, dict[str, ObjectSchema], bool]:
    org = an_org()
    for object_name, field in hidden:
        org = without(org, object_name, field)
    mapping, problems = FILE.fit(org)
    return mapping, org, bool(problems)


@settings(max_examples=150)
@given(records())
def test_reading_never_raises(record: Record) -> None:
    reading = WHOLE.read("acme", record)
    assert reading.kind in WHOLE.kinds(record.object)
    if record.deleted:
        assert reading.error is None
    if reading.error is not None:
        assert reading.error.field in next(query.fields for query in WHOLE.queries if query.object == record.object)
        assert reading.error.where == f"{record.object} X1"
        assert reading.error.remedy


@given(st.sets(st.sampled_from(FIELDS), min_size=1, max_size=12))
def test_only_what_is_there_is_asked_for_and_what_is_missing_is_said(hidden: set[tuple[str, str]]) -> None:
    mapping, org, complained = fit_without(hidden)
    for query in mapping.queries:
        there = set(org[query.object].fields)
        assert set(query.fields) <= there
        assert {one.field for group in query.where for one in group} <= there
    used = {(query.object, path) for query in WHOLE.queries for path in query.fields}
    for target in ("account", "contact", "task"):
        used |= {(WHOLE.object_of(target), WHOLE.crm_field(target, name)) for name in WHOLE.names(target)}
    assert complained == bool(hidden & used)


@given(st.sets(st.sampled_from(sorted(an_org())), max_size=7))
def test_hidden_objects_are_said_and_cost_only_themselves(hidden: set[str]) -> None:
    org = {name: schema for name, schema in an_org().items() if name not in hidden}
    mapping, problems = FILE.fit(org)
    assert [query.object for query in mapping.queries] == [name for name in FILE.objects if name not in hidden]
    assert bool(problems) == bool(hidden)
