"""Whatever is joined, parted and moved: both ends tell the same, and one company at most is primary."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sandbox.hubspot.portal.links import PRIMARY, PortalLinks
from adapters.sandbox.hubspot.portal.schema import PortalSchema

SCHEMA = PortalSchema()
CONTACTS, COMPANIES, TASKS = (SCHEMA.objects[name] for name in ("contacts", "companies", "tasks"))
ids = st.integers(1, 4)
kinds = st.sampled_from([CONTACTS, COMPANIES, TASKS])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), kinds, ids, kinds, ids, st.booleans()),
        st.tuples(st.just("part"), kinds, ids, kinds, ids, st.booleans()),
        st.tuples(st.just("move"), kinds, ids, kinds, ids, st.booleans()),
    ),
    max_size=25,
)


def take(links, step):
    what, one, one_id, other, other_id, labelled = step
    if what == "move":
        if one_id != other_id:
            links.move(one.name, one_id, other_id)
        return
    types = links.types(one, other)
    if not types or (one, one_id) == (other, other_id):
        return
    if what == "join":
        links.join(one, one_id, other, other_id, types[:1] if labelled else ())
    else:
        links.part(one.name, one_id, other.name, other_id, [types[0].type_id] if labelled else None)


def told(links):
    """Every association, seen from its one end and from its other."""
    there, back = set(), set()
    for one in (CONTACTS, COMPANIES, TASKS):
        for other in (CONTACTS, COMPANIES, TASKS):
            types = {each.type_id: each for each in links.types(one, other)}
            for record_id in range(1, 5):
                for other_id, held in links.of(one.name, record_id, other.name).items():
                    assert held
                    there |= {(one.name, record_id, other.name, other_id, each) for each in held}
                    back |= {(other.name, other_id, one.name, record_id, types[each].inverse) for each in held}
    return there, back


@settings(max_examples=200, deadline=None)
@given(steps)
def test_both_ends_tell_the_same(taken):
    links = PortalLinks(SCHEMA)
    for step in taken:
        take(links, step)
    there, back = told(links)
    assert there == back
    primary = next(each for each in links.types(CONTACTS, COMPANIES) if each.label == PRIMARY).type_id
    holders = [record_id for name, record_id, _, _, kind in there if name == "contacts" and kind == primary]
    assert len(holders) == len(set(holders))


class Undone(Exception):
    """Leaves a transaction."""


def fail_after(links, taken):
    with links.transaction():
        for step in taken:
            take(links, step)
        raise Undone


@settings(max_examples=100, deadline=None)
@given(steps, steps)
def test_a_transaction_that_fails_leaves_everything_as_it_was(before, within):
    links = PortalLinks(SCHEMA)
    for step in before:
        take(links, step)
    kept = deepcopy(told(links))
    with pytest.raises(Undone):
        fail_after(links, within)
    assert told(links) == kept
