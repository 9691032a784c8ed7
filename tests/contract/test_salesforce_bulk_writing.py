"""Many changes go to Salesforce as one file; each record's fate is its own, in whatever order the answer tells them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from world_salesforce import SalesforceWorld, Switchboard

from adapters.sandbox.server import RunningServer
from adapters.sandbox.web import Request
from connector.errors import BadOption, Bug, Gone, RuleRefused, SchemaChanged, TooLong, Unavailable
from connector.ports import BulkWriter, Write, WriteResult
from connector.runtime.clock import SteppedClock

NASTY = 'a "b",\nc; ünï 👩🏽‍🚀 \ufeff#N/A,\u2028.'


@pytest.fixture
def world(clock: SteppedClock, switchboard: Switchboard, server: RunningServer) -> Iterator[SalesforceWorld]:
    world = SalesforceWorld(clock, server)
    switchboard.org = world.org
    yield world
    world.adapter.close()


def bulk(world: SalesforceWorld) -> BulkWriter:
    assert world.adapter.bulk is not None
    return world.adapter.bulk


def accounts(world: SalesforceWorld, count: int) -> list[str]:
    return [
        world.insert("Account", {"Name": f"Account {number}", "Note__c": "before", "Score__c": 5.0})
        for number in range(count)
    ]


def change(record_id: str, **fields: Any) -> Write:
    return Write(f"account:{record_id}", "Account", fields, id=record_id)


def write(world: SalesforceWorld, *writes: Write) -> list[WriteResult]:
    return bulk(world).write(writes, lambda: False)


def values(world: SalesforceWorld, record_id: str, *names: str) -> list[Any]:
    return [world.value("Account", record_id, name) for name in names]


def test_f35_unset_is_left_alone_none_is_emptied_and_a_value_is_written(world: SalesforceWorld) -> None:
    left, emptied, written = accounts(world, 3)
    moment = datetime(2026, 11, 12, 10, 30, tzinfo=UTC)
    results = write(
        world,
        change(left, Ticked__c=True),
        change(emptied, Note__c=None, Score__c=None),
        change(written, Note__c=NASTY, Score__c=0, Seen__c=moment, Ticked__c=False),
    )
    assert [(one.outcome, one.id) for one in results] == [("updated", one) for one in (left, emptied, written)]
    assert values(world, left, "Note__c", "Score__c", "Ticked__c") == ["before", 5.0, True]
    assert values(world, emptied, "Note__c", "Score__c") == [None, None]
    assert values(world, written, "Note__c", "Score__c", "Ticked__c") == [NASTY, 0.0, False]
    assert str(world.value("Account", written, "Seen__c")).startswith("2026-11-12T10:30:00")


def test_f27_results_are_matched_by_id_though_they_come_in_another_order(world: SalesforceWorld) -> None:
    made = accounts(world, 6)
    world.delete("Account", made[4])
    world.forbid("Accounts in dispute are legal's", "disputed")
    before = world.adapter.usage().calls
    results = write(
        world,
        change(made[0], Note__c="fine"),
        change(made[1], Note__c="x" * 41),
        change(made[2], Plan__c="Platinum"),
        change(made[3], Note__c="disputed"),
        change(made[4], Note__c="gone"),
        change(made[5], Note__c="fine"),
    )
    # The job, its file, its start, its state, two results; and whether what is gone was merged. Nothing is sent twice.
    assert world.adapter.usage().calls - before == 7
    assert [one.write.id for one in results] == made
    assert [type(one.error) for one in results] == [type(None), TooLong, BadOption, RuleRefused, Gone, type(None)]
    assert "legal's" in str(results[3].error)
    assert "Plan" in str(results[2].error)


def test_one_job_needs_few_calls(world: SalesforceWorld) -> None:
    made = accounts(world, 50)
    before = world.adapter.usage().calls
    assert {one.outcome for one in write(world, *(change(one, Note__c="x") for one in made))} == {"updated"}
    # The job, its file, its start, its state, its results.
    assert world.adapter.usage().calls - before == 5


def test_f34_a_held_record_is_sent_again_by_itself(world: SalesforceWorld) -> None:
    first, second = accounts(world, 2)
    world.org.faults.lock_row(first, times=1)
    results = write(world, change(first, Note__c="x"), change(second, Note__c="x"))
    assert [one.outcome for one in results] == ["updated", "updated"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("UNKNOWN_EXCEPTION", "An unexpected error occurred"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Sum: System.LimitException: Apex CPU time limit exceeded"),
    ],
)
def test_f33_a_refusal_that_does_not_judge_the_record_is_sent_again(
    world: SalesforceWorld, code: str, said: str
) -> None:
    first, second = accounts(world, 2)
    world.org.faults.refuse_row("Account", code, said, key=first, times=1)
    results = write(world, change(first, Note__c="x"), change(second, Note__c="x"))
    assert [one.outcome for one in results] == ["updated", "updated"]


def test_an_unknown_column_fails_the_job_and_costs_only_the_rows_that_have_it(world: SalesforceWorld) -> None:
    first, second = accounts(world, 2)
    good, bad = write(world, change(first, Note__c="x"), change(second, Missing__c="x"))
    assert good.outcome == "updated"
    assert isinstance(bad.error, SchemaChanged)
    assert bad.error.field == "Missing__c"


def test_f53_what_a_job_leaves_undone_is_sent_by_batches(
    world: SalesforceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = accounts(world, 3)
    real = world.org.handle

    def failing(request: Request):  # type: ignore[no-untyped-def]
        for job in world.org.jobs.by_id.values():
            if job.state == "UploadComplete":
                job.state, job.error = "Failed", "InternalServerError : out of luck"
        return real(request)

    monkeypatch.setattr(world.org, "handle", failing)
    assert {one.outcome for one in write(world, *(change(one, Note__c="x") for one in made))} == {"updated"}
    assert {world.value("Account", one, "Note__c") for one in made} == {"x"}


def test_where_there_is_no_bulk_batches_do(world: SalesforceWorld) -> None:
    made = accounts(world, 3)
    no = [{"errorCode": "API_DISABLED_FOR_ORG", "message": "no bulk here"}]
    world.org.faults.fail(403, no, path="/jobs/ingest", times=None)
    assert {one.outcome for one in write(world, *(change(one, Note__c="x") for one in made))} == {"updated"}


def test_text_that_reads_as_emptying_is_text(world: SalesforceWorld) -> None:
    (account,) = accounts(world, 1)
    write(world, change(account, Note__c="#N/A"))
    assert world.value("Account", account, "Note__c") == "#N/A"


def test_whoever_is_to_stop_leaves_the_job_to_salesforce(world: SalesforceWorld) -> None:
    made = accounts(world, 3)
    world.org.jobs.polls = 1000
    with pytest.raises(Unavailable, match="stopped"):
        bulk(world).write([change(one, Note__c="x") for one in made], lambda: True)
    assert [job.state for job in world.org.jobs.by_id.values()] == ["InProgress"]


def test_a_job_that_never_ends_is_given_up_for_batches(world: SalesforceWorld) -> None:
    (account,) = accounts(world, 1)
    world.org.jobs.polls = 1000
    (result,) = write(world, change(account, Note__c="x"))
    assert result.outcome == "updated"
    assert [job.state for job in world.org.jobs.by_id.values()] == ["Aborted"]


def test_a_lost_answer_tells_that_nothing_is_known(world: SalesforceWorld) -> None:
    (account,) = accounts(world, 1)
    world.org.faults.drop("after", path="/batches")
    with pytest.raises(Unavailable):
        write(world, change(account, Note__c="x"))


def test_mistakes_of_the_caller(world: SalesforceWorld) -> None:
    first, _ = accounts(world, 2)
    for wrong in (
        [change(first, Note__c="x"), Write("other key", "Account", {"Note__c": "y"}, id=first)],
        [Write("new", "Account", {"Name": "x"})],
        [change(first, Note__c="x"), Write("c", "Contact", {"Title": "x"}, id="003Kx0000000001AAA")],
    ):
        with pytest.raises(Bug):
            write(world, *wrong)
