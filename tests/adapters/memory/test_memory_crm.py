"""What the CRM in memory does by itself, as CRMs do: it derives, stamps, commits late, misbehaves when told to."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.errors import Gone, NotPermitted, RecordRejected, Unavailable
from connector.ports import FieldSpec, Query, Write
from connector.runtime.clock import SteppedClock

HOUR = timedelta(hours=1)


@pytest.fixture
def crm(clock: SteppedClock) -> MemoryCrm:
    return MemoryCrm(clock)


@pytest.fixture
def adapter(crm: MemoryCrm) -> MemoryAdapter:
    return MemoryAdapter(crm, "acme")


def instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def test_a_case_has_a_number_and_a_closing_time_that_a_reopening_takes_away(
    crm: MemoryCrm, clock: SteppedClock
) -> None:
    account = crm.account()
    first, second = crm.case(account), crm.case(account)
    assert [crm.get(case)["CaseNumber"] for case in (first, second)] == ["00000001", "00000002"]
    clock.advance(HOUR)
    crm.close(first)
    closed = clock.now()
    clock.advance(HOUR)
    crm.update(first, {"Subject": "Edited after it was closed"})
    assert instant(crm.get(first)["ClosedDate"]) == closed
    crm.reopen(first)
    assert (crm.get(first)["IsClosed"], crm.get(first)["ClosedDate"]) == (False, None)


def test_activities_know_their_customer_by_what_or_by_whom(crm: MemoryCrm, clock: SteppedClock) -> None:
    account = crm.account()
    person = crm.contact(account)
    assert crm.get(crm.call(account, None))["AccountId"] == account
    assert crm.get(crm.call(None, person))["AccountId"] == account
    assert crm.get(crm.meeting(crm.deal(account), None, start=clock.now()))["AccountId"] == account
    assert crm.get(crm.call(None, None))["AccountId"] is None


def test_a_deal_is_won_or_lost_at_the_moment_of_its_last_stage(crm: MemoryCrm, clock: SteppedClock) -> None:
    deal = crm.deal(crm.account())
    clock.advance(HOUR)
    crm.win(deal)
    won = clock.now()
    clock.advance(HOUR)
    crm.update(deal, {"Amount": 5})
    assert (crm.get(deal)["IsWon"], instant(crm.get(deal)["LastStageChangeDate"])) == (True, won)
    crm.lose(deal)
    assert (crm.get(deal)["IsWon"], crm.get(deal)["IsClosed"]) == (False, True)


def test_a_task_moves_its_accounts_stamp_though_nobody_edited_the_account(crm: MemoryCrm, clock: SteppedClock) -> None:
    account = crm.account()
    made = clock.now()
    clock.advance(HOUR)
    crm.call(account, None)
    row = crm.get(account)
    assert (instant(row["SystemModstamp"]), instant(row["LastModifiedDate"])) == (clock.now(), made)


def test_an_update_that_changes_nothing_moves_the_stamps(crm: MemoryCrm, clock: SteppedClock) -> None:
    account = crm.account("Acme")
    clock.advance(HOUR)
    crm.update(account, {"Name": "Acme"})
    assert instant(crm.get(account)["SystemModstamp"]) == clock.now()


def test_until_a_late_commit_readers_see_what_was_before(
    crm: MemoryCrm, adapter: MemoryAdapter, clock: SteppedClock
) -> None:
    account = crm.account("Before")
    clock.advance(HOUR)
    stamp = clock.now()
    crm.commit_delay = timedelta(minutes=2)
    crm.update(account, {"Name": "After"})
    crm.commit_delay = timedelta()
    assert adapter.fetch("Account", [account], ["Name"])[account].fields["Name"] == "Before"
    clock.advance(timedelta(minutes=2))
    record = adapter.fetch("Account", [account], ["Name"])[account]
    assert (record.fields["Name"], instant(record.modified)) == ("After", stamp)


def test_its_clock_may_be_wrong(crm: MemoryCrm, adapter: MemoryAdapter, clock: SteppedClock) -> None:
    crm.skew = timedelta(minutes=-7)
    account = crm.account()
    assert adapter.org().server_time == clock.now() - timedelta(minutes=7)
    assert instant(crm.get(account)["SystemModstamp"]) == adapter.org().server_time


def test_deleting_an_account_takes_its_people_along(crm: MemoryCrm) -> None:
    account = crm.account()
    person = crm.contact(account)
    crm.delete(account)
    with pytest.raises(Gone):
        crm.get(person)


def test_a_restored_record_is_back_and_is_read_again(
    crm: MemoryCrm, adapter: MemoryAdapter, clock: SteppedClock
) -> None:
    account = crm.account()
    crm.delete(account)
    since = clock.advance(HOUR)
    crm.restore(account)
    (page,) = adapter.changes(Query("Account", ("Name",)), since=since, after=None)
    assert [(record.id, record.deleted) for record in page.records] == [(account, False)]


def test_a_purged_record_leaves_no_trace(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    crm.purge(crm.account())
    (page,) = adapter.changes(Query("Account", ("Name",)), since=None, after=None)
    assert not page.records


def test_what_pointed_at_the_loser_of_a_merge_points_at_the_survivor(crm: MemoryCrm) -> None:
    survivor, loser = crm.account("Survivor"), crm.account("Loser")
    person, case = crm.contact(loser), crm.case(loser)
    crm.merge(survivor, loser)
    assert crm.get(person)["AccountId"] == survivor
    assert crm.get(case)["AccountId"] == survivor


def test_a_record_may_be_back_dated(crm: MemoryCrm) -> None:
    then = datetime(2026, 8, 1, 12, tzinfo=UTC)
    case = crm.case(crm.account(at=then), at=then)
    crm.close(case, at=then + HOUR)
    assert instant(crm.get(case)["ClosedDate"]) == then + HOUR
    assert instant(crm.get(case)["CreatedDate"]) == then


def test_the_nth_call_fails_and_no_other(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    fault = crm.faults.fail(Unavailable("down."), nth=2, kind="read")
    adapter.count(Query("Account", ()))
    with pytest.raises(Unavailable):
        adapter.count(Query("Account", ()))
    adapter.count(Query("Account", ()))
    assert fault.hits == 1


def test_faults_may_be_about_one_object_or_one_kind_of_call(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    crm.faults.fail(Unavailable("down."), object="Case", times=None)
    crm.faults.fail(Unavailable("down."), kind="write", times=None)
    adapter.count(Query("Account", ()))
    with pytest.raises(Unavailable):
        adapter.count(Query("Case", ()))
    with pytest.raises(Unavailable):
        adapter.write([Write("k", "Account", {"Name": "x"})])
    assert crm.all("Account") == []


def test_an_object_may_be_forbidden_and_a_field_protected(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    crm.forbidden.add("Case")
    with pytest.raises(NotPermitted):
        adapter.count(Query("Case", ()))
    crm.protect("Account", "Name")
    assert not adapter.describe("Account").fields["Name"].updateable
    (result,) = adapter.write([Write("k", "Account", {"Name": "x"}, id=crm.account())])
    assert isinstance(result.error, NotPermitted)


def test_a_lock_may_pass_by_itself(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    account = crm.account()
    crm.faults.lock(account, times=2)
    write = Write("k", "Account", {"Name": "x"}, id=account)
    assert [adapter.write([write])[0].outcome for _ in range(3)] == ["refused", "refused", "updated"]


def test_a_row_may_be_refused_for_a_while(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    account = crm.account()
    crm.faults.refuse(RecordRejected("no."), lambda record_id, _: record_id == account, times=1)
    write = Write("k", "Account", {"Name": "x"}, id=account)
    assert [adapter.write([write])[0].outcome for _ in range(2)] == ["refused", "updated"]


def test_the_days_allowance_is_everybodys_and_begins_anew(
    crm: MemoryCrm, adapter: MemoryAdapter, clock: SteppedClock
) -> None:
    crm.allowed_today = 10
    crm.spend(9)
    adapter.count(Query("Account", ()))
    assert adapter.usage().used_today == 10
    with pytest.raises(Exception, match="used up") as caught:
        adapter.count(Query("Account", ()))
    until = caught.value.until  # type: ignore[attr-defined]
    clock.advance(until - clock.now())
    adapter.count(Query("Account", ()))
    assert adapter.usage().used_today == 1


def test_who_may_not_customise_is_told_so(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    crm.may_customise = False
    steps = adapter.plan_setup([FieldSpec("Account", "X__c", "X", "text", length=10)])
    with pytest.raises(NotPermitted):
        list(adapter.apply_setup(steps))


def test_the_log_tells_reads_from_writes_and_names_the_records(crm: MemoryCrm, adapter: MemoryAdapter) -> None:
    account = crm.account()
    adapter.count(Query("Account", ()))
    adapter.write([Write("k", "Account", {"Name": "x"}, id=account)])
    (written,) = crm.log.of("write")
    assert (written.connection, written.object, written.records) == ("acme", "Account", (account,))
    assert [call.method for call in crm.log.of("read")] == ["count"]
