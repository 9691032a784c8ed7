"""What goes into one call, and whose its results are."""

import pytest

from connector.errors import Bug
from connector.ports import Write, WriteResult
from connector.stages.write_back.outbox import batches, checked


def update(key: str, record: str) -> Write:
    return Write(key, "Account", {"Mood__c": "Happy"}, id=record)


def test_one_result_for_each_write_in_order_or_none_is_believed() -> None:
    first, second = update("a", "1"), update("b", "2")
    done = [WriteResult(one, "updated", one.id) for one in (first, second)]
    assert checked([first, second], done) == done
    for wrong in (done[:1], done[::-1], [*done, done[0]]):
        with pytest.raises(Bug):
            checked([first, second], wrong)


def test_a_record_that_is_named_twice_comes_in_two_calls() -> None:
    writes = [update("a", "1"), update("b", "2"), update("c", "1"), update("d", "3")]
    assert [[one.key for one in batch] for batch in batches(writes, 3)] == [["a", "b", "d"], ["c"]]


def test_no_call_is_larger_than_the_crm_takes() -> None:
    writes = [update(f"{number}", f"{number}") for number in range(401)]
    found = list(batches(writes, 200))
    assert [len(batch) for batch in found] == [200, 200, 1]
    assert [one for batch in found for one in batch] == writes
