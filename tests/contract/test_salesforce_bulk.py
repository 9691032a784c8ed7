"""Long listings are read in bulk: the same records in the same order, by a handful of calls, and by pages where bulk cannot."""

from collections.abc import Iterator

import pytest
from crm_contract_reading import ReadingContract
from world_salesforce import SalesforceWorld, Switchboard

from adapters.salesforce.records import bulk, bulk_reader
from adapters.sandbox.server import RunningServer
from connector.errors import QuotaSpent
from connector.ports import Condition, Page, Query, Record
from connector.runtime.clock import SteppedClock

NASTY = 'a "b",\nc\r\nd; ünï 👩🏽‍🚀 \ufeff#N/A,\u2028.'
FIELDS = (
    "Id",
    "Name",
    "note__c",
    "Score__c",
    "Ticked__c",
    "Seen__c",
    "NumberOfEmployees",
    "CreatedDate",
    "Parent.Name",
)
QUERY = Query("Account", FIELDS)


@pytest.fixture
def world(clock: SteppedClock, switchboard: Switchboard, server: RunningServer) -> Iterator[SalesforceWorld]:
    world = SalesforceWorld(clock, server)
    switchboard.org = world.org
    yield world
    world.adapter.close()


@pytest.fixture
def in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever needs a second page come in bulk."""
    monkeypatch.setattr(bulk_reader, "LEAST", 1)
    monkeypatch.setattr(bulk_reader, "SCARCE", 0)
    monkeypatch.setattr(bulk_reader, "PAGE", 3)
    monkeypatch.setattr(bulk_reader, "PART", 7)


@pytest.mark.usefixtures("in_bulk")
class TestReadingInBulk(ReadingContract):
    """See `ReadingContract`."""


def filled(world: SalesforceWorld) -> SalesforceWorld:
    """Twenty accounts of all sorts, of which the first three come as a page."""
    made: list[str] = []
    for number in range(20):
        values = {
            "Name": f"Account {number}",
            "Note__c": NASTY if number % 3 else None,
            "Score__c": [None, 0.0, 7.0, 12.0][number % 4],
            "Ticked__c": number % 2 == 0,
            "Seen__c": "2026-01-02T03:04:05.000+0000" if number % 5 else None,
            "NumberOfEmployees": None if number % 3 == 1 else number * 1_000_000,
            "ParentId": made[0] if made and number % 2 else None,
        }
        made.append(world.insert("Account", {name: value for name, value in values.items() if value is not None}))
        if number % 6 == 0:
            world.pass_time()
    world.delete("Account", made[7])
    world.merge("Account", made[11], made[12])
    world.small_pages()
    return world


def records(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def kinds(record: Record) -> dict[str, type]:
    """Return the types of a record's values: 7 and 7.0 are not the same to whoever compares texts."""
    return {name: type(value) for name, value in record.fields.items()}


def read(world: SalesforceWorld, query: Query = QUERY) -> list[Page]:
    return list(world.adapter.changes(query, since=None, after=None))


def jobs(world: SalesforceWorld) -> int:
    return len(world.org.jobs.by_id)


def test_records_are_the_same_to_the_last_digit(world: SalesforceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    by_pages = records(read(filled(world)))
    assert jobs(world) == 0
    monkeypatch.setattr(bulk_reader, "LEAST", 1)
    monkeypatch.setattr(bulk_reader, "SCARCE", 0)
    in_bulk = records(read(world))
    assert jobs(world) == 1
    assert in_bulk == by_pages
    assert [kinds(one) for one in in_bulk] == [kinds(one) for one in by_pages]
    assert {NASTY.replace("\r\n", "\n"), NASTY} & {one.fields["note__c"] for one in in_bulk}
    assert any(one.merged_into for one in in_bulk)


@pytest.mark.usefixtures("in_bulk")
def test_it_comes_by_few_calls_in_pages_that_follow_each_other(world: SalesforceWorld) -> None:
    filled(world)
    before = world.adapter.usage().calls
    pages = read(world)
    # A page, the description, the job, its state, and three parts of its results.
    assert world.adapter.usage().calls - before == 1 + 1 + 1 + 1 + 3
    assert max(len(page.records) for page in pages) == 3
    places = [page.last for page in pages if page.last]
    assert places == sorted(places)


@pytest.mark.usefixtures("in_bulk")
def test_whoever_waits_for_a_job_may_stop_at_an_empty_page(world: SalesforceWorld) -> None:
    filled(world).org.jobs.polls = 5
    pages = read(world)
    empty = [page for page in pages if not page.records]
    assert len(records(pages)) == 20
    assert len(empty) >= 5
    assert all(page.last is None for page in empty)
    assert bulk._SLICE <= 5  # SIGTERM ends within ten seconds


@pytest.mark.usefixtures("in_bulk")
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/jobs/query", 400, "API_ERROR"),
        ("/jobs/query", 403, "API_DISABLED_FOR_ORG"),
        ("/results", 404, "NOT_FOUND"),
    ],
)
def test_what_bulk_refuses_comes_by_pages_and_bulk_is_not_asked_again(
    world: SalesforceWorld, path: str, status: int, code: str
) -> None:
    filled(world).org.faults.fail(status, [{"errorCode": code, "message": "no"}], path=path, times=None)
    assert len(records(read(world))) == 20
    held = jobs(world)
    assert len(records(read(world))) == 20
    assert jobs(world) == held


@pytest.mark.usefixtures("in_bulk")
def test_f53_a_failed_job_is_no_empty_one(world: SalesforceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world)
    real = world.org.handle

    def failing(request):  # type: ignore[no-untyped-def]
        for job in world.org.jobs.by_id.values():
            job.state, job.error = "Failed", "InternalServerError : out of luck"
        return real(request)

    monkeypatch.setattr(world.org, "handle", failing)
    assert len(records(read(world))) == 20


@pytest.mark.usefixtures("in_bulk")
def test_results_that_are_out_of_order_are_not_believed(
    world: SalesforceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(world)
    real = world.org.handle

    def shuffled(request):  # type: ignore[no-untyped-def]
        for job in world.org.jobs.by_id.values():
            if job.result is not None:
                job.result.rows.sort(key=lambda row: str(row["Id"]), reverse=True)
        return real(request)

    monkeypatch.setattr(world.org, "handle", shuffled)
    found = records(read(world))
    places = [(one.modified, one.id) for one in found]
    assert len(found) == 20
    assert places == sorted(places)


@pytest.mark.usefixtures("in_bulk")
def test_results_that_are_cut_off_are_asked_for_again(world: SalesforceWorld) -> None:
    filled(world).org.faults.truncate(200, path="/results")
    assert len(records(read(world))) == 20


@pytest.mark.usefixtures("in_bulk")
def test_columns_that_bulk_does_not_give_come_by_pages(world: SalesforceWorld) -> None:
    filled(world)
    assert len(records(read(world, Query("Account", ("Name", "BillingAddress"))))) == 20
    assert jobs(world) == 0


@pytest.mark.usefixtures("in_bulk")
def test_the_days_calls_end_a_job_as_they_end_a_page(world: SalesforceWorld) -> None:
    filled(world)
    reading = world.adapter.changes(QUERY, since=None, after=None)
    assert next(reading).records
    world.org.limits.most = 0
    with pytest.raises(QuotaSpent):
        list(reading)


@pytest.mark.usefixtures("in_bulk")
def test_a_condition_holds_in_bulk_as_well(world: SalesforceWorld) -> None:
    filled(world)
    some = Query("Account", ("Name",), ((Condition("Ticked__c", "=", (True,)),),))
    assert {one.fields["Name"] for one in records(read(world, some))} <= {f"Account {n}" for n in range(0, 20, 2)}
    assert jobs(world) == 1
