"""What reading promises: complete, in order, resumable, and honest about what is gone or hidden."""

from datetime import timedelta

import pytest
from crm_world import World

from connector.errors import CrmError, SchemaChanged
from connector.model import Ref
from connector.ports import Condition, Page, Position, Query

MINUTE = timedelta(minutes=1)


def positions(pages: list[Page]) -> list[Position]:
    return [Position(record.modified, record.id) for page in pages for record in page.records]


class ReadingContract:
    """`changes`, `fetch`, `count`, `describe`, `org`."""

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_every_record_comes_once_ordered_by_stamp_and_id(self, world: World) -> None:
        made = world.companies(3)
        world.pass_time()
        made += world.companies(2)
        world.pass_time()
        world.rename(made[0], "Renamed")
        records = world.read()
        assert [record.id for record in records] == [*sorted(made[1:3]), *sorted(made[3:]), made[0]]
        assert records[-1].fields == {world.names.name: "Renamed"}
        assert records[-1].object == world.names.company
        assert not records[-1].deleted

    def test_ties_larger_than_a_page_are_read_without_gap_or_repetition(self, world: World) -> None:
        size = world.small_pages()
        made = world.companies(2 * size + 1)
        pages = list(world.adapter.changes(world.query(), since=None, after=None))
        places = positions(pages)
        assert len(pages) >= 3
        assert [place.id for place in places] == sorted(made)
        assert places == sorted(places)
        for page in filter(lambda page: page.records, pages):
            last = positions([page])[-1]
            # A place in a listing of everything by id alone has no stamp.
            assert page.last in (last, Position("", last.id))

    def test_resuming_behind_any_page_gives_exactly_the_rest(self, world: World) -> None:
        size = world.small_pages()
        world.companies(size)
        world.pass_time()
        world.companies(size + 1)
        pages = list(world.adapter.changes(world.query(), since=None, after=None))
        everything = positions(pages)
        read = 0
        for page in pages:
            read += len(page.records)
            rest = world.adapter.changes(world.query(), since=None, after=page.last)
            assert positions(list(rest)) == everything[read:]

    def test_resuming_behind_a_record_in_the_middle_of_a_tie(self, world: World) -> None:
        made = sorted(world.companies(5))
        records = world.read()
        middle = Position(records[1].modified, records[1].id)
        assert [record.id for record in world.read(after=middle)] == made[2:]

    def test_since_is_inclusive(self, world: World) -> None:
        world.company("Before")
        stamp = world.pass_time()
        at = world.company("At")
        world.pass_time()
        later = world.company("Later")
        assert [record.id for record in world.read(since=stamp)] == [at, later]

    def test_since_and_after_hold_together(self, world: World) -> None:
        made = world.companies(3)
        stamp = world.pass_time()
        world.rename(made[0], "Renamed")
        world.rename(made[1], "Renamed")
        first = world.read(since=stamp)[0]
        rest = world.read(since=stamp, after=Position(first.modified, first.id))
        assert [record.id for record in rest] == [sorted(made[:2])[1]]

    def test_a_record_that_changes_while_pages_are_read_is_not_lost(self, world: World) -> None:
        size = world.small_pages()
        made = sorted(world.companies(2 * size))
        listing = world.adapter.changes(world.query(), since=None, after=None)
        first = next(listing)
        mark = first.server_time
        world.pass_time()
        world.rename(made[-1], "Changed meanwhile")
        seen = {record.id for page in [first, *listing] for record in page.records}
        again = world.read(since=mark)
        assert seen | {record.id for record in again} == set(made)
        assert [record.fields[world.names.name] for record in again if record.id == made[-1]] == ["Changed meanwhile"]

    def test_deleted_records_are_told(self, world: World) -> None:
        gone = world.company("Gone")
        stamp = world.pass_time()
        world.delete(world.names.company, gone)
        (record,) = world.read(since=stamp)
        assert record.id == gone
        assert record.deleted
        assert record.merged_into is None

    def test_merged_records_name_the_survivor(self, world: World) -> None:
        survivor, loser = world.company("Survivor"), world.company("Loser")
        stamp = world.pass_time()
        world.merge(world.names.company, survivor, loser)
        records = {record.id: record for record in world.read(since=stamp)}
        assert records[loser].deleted
        assert records[loser].merged_into == survivor
        assert survivor not in records or not records[survivor].deleted

    def test_chained_merges_can_be_followed(self, world: World) -> None:
        first, second, third = world.company("One"), world.company("Two"), world.company("Three")
        world.merge(world.names.company, second, first)
        world.pass_time()
        world.merge(world.names.company, third, second)
        into = {record.id: record.merged_into for record in world.read()}
        last: str | None = first
        while last is not None and into[last] is not None:
            last = into[last]
        assert last == third

    def test_an_empty_listing_is_one_empty_page(self, world: World) -> None:
        pages = list(world.adapter.changes(world.query(), since=world.clock.now() + MINUTE, after=None))
        assert len(pages) == 1
        assert list(pages[0].records) == []
        assert pages[0].last is None

    def test_every_page_carries_the_crms_clock(self, world: World) -> None:
        world.company()
        for page in world.adapter.changes(world.query(), since=None, after=None):
            assert page.server_time.tzinfo is not None
            assert abs(page.server_time - world.clock.now()) <= timedelta(seconds=1)

    def test_what_is_committed_late_is_found_again_within_the_lag(self, world: World) -> None:
        delay = world.adapter.lag / 2
        if not delay:
            pytest.skip("this CRM shows at once what is written")
        world.commit_late(delay)
        late = world.company("Late")
        world.pass_time(timedelta(seconds=2))
        pages = list(world.adapter.changes(world.query(), since=None, after=None))
        assert late not in {place.id for place in positions(pages)}
        world.pass_time(delay)
        watermark = pages[0].server_time - world.adapter.lag
        assert late in {record.id for record in world.read(since=watermark)}

    def test_fields_are_keyed_as_asked_and_empty_is_none(self, world: World) -> None:
        names = world.names
        world.company(note=None)
        (record,) = world.read(world.query(fields=(names.note, names.name)))
        assert dict(record.fields) == {names.note: None, names.name: "Acme"}

    def test_a_path_follows_the_lookup_and_is_none_without_one(self, world: World) -> None:
        names = world.names
        world.person("Employed", world.company("Acme"))
        world.person("Alone", None)
        records = world.read(Query(names.person, (names.surname, names.employers_name)))
        assert {record.fields[names.surname]: record.fields[names.employers_name] for record in records} == {
            "Employed": "Acme",
            "Alone": None,
        }

    def test_a_hidden_field_is_an_error_or_absent_never_empty(self, world: World) -> None:
        names = world.names
        world.company(note="kept")
        world.hide(names.company, names.note)
        try:
            records = world.read(world.query(fields=(names.name, names.note)))
        except SchemaChanged as error:
            assert names.note in (error.field, *str(error).split())
        else:
            assert names.note not in records[0].fields

    def test_an_unknown_field_is_an_error_that_names_it(self, world: World) -> None:
        with pytest.raises(SchemaChanged) as caught:
            world.read(world.query(fields=("Nothing_Like_It__c",)))
        assert "Nothing_Like_It__c" in str(caught.value)
        assert world.adapter.connection in caught.value.where

    def test_an_unknown_object_is_an_error(self, world: World) -> None:
        with pytest.raises(SchemaChanged):
            world.read(Query("Nothing_Like_It__c", ("Name",)))

    # ── fetch and count ──────────────────────────────────────────────────────────────────────────────────────────────

    def test_fetch_leaves_out_what_is_gone_or_unknown(self, world: World) -> None:
        names = world.names
        alive, deleted = world.company("Alive"), world.company("Deleted")
        survivor, merged = world.company("Survivor"), world.company("Merged")
        world.delete(names.company, deleted)
        world.merge(names.company, survivor, merged)
        found = world.adapter.fetch(names.company, [alive, deleted, merged, world.unknown_id], [names.name])
        assert set(found) == {alive}
        assert found[alive].fields == {names.name: "Alive"}

    def test_fetch_takes_any_number_of_ids(self, world: World) -> None:
        made = world.companies(320)
        found = world.adapter.fetch(world.names.company, made, [world.names.name])
        assert set(found) == set(made)

    def test_fetch_of_nothing_asks_nothing(self, world: World) -> None:
        before = world.calls("read")
        assert dict(world.adapter.fetch(world.names.company, [], [world.names.name])) == {}
        assert world.calls("read") <= before + 1

    def test_fetch_gives_the_present_state(self, world: World) -> None:
        record_id = world.company("Old")
        world.rename(record_id, "New")
        found = world.adapter.fetch(world.names.company, [record_id], [world.names.name])
        assert found[record_id].fields[world.names.name] == "New"

    def test_fetch_follows_lookups_too(self, world: World) -> None:
        names = world.names
        employed, alone = world.person("Employed", world.company("Acme")), world.person("Alone", None)
        found = world.adapter.fetch(names.person, [employed, alone], [names.employers_name])
        assert found[employed].fields == {names.employers_name: "Acme"}
        assert found[alone].fields == {names.employers_name: None}

    def test_fetch_of_a_hidden_field_is_an_error_or_leaves_it_out(self, world: World) -> None:
        names = world.names
        record_id = world.company(note="kept")
        world.hide(names.company, names.note)
        try:
            found = world.adapter.fetch(names.company, [record_id], [names.name, names.note])
        except SchemaChanged as error:
            assert names.note in (error.field, *str(error).split())
        else:
            assert names.note not in found[record_id].fields

    def test_the_newest_come_first_and_no_more_than_were_asked_for(self, world: World) -> None:
        made = []
        for number in range(4):
            made.append(world.company(f"Company {number}"))
            world.pass_time()
        world.delete(world.names.company, made[3])
        world.rename(made[0], "Renamed lately")
        found = world.adapter.newest(world.names.company, [world.names.name], 2)
        assert [record.id for record in found] == [made[2], made[1]]
        assert [record.fields[world.names.name] for record in found] == ["Company 2", "Company 1"]
        everyone = world.adapter.newest(world.names.company, [world.names.name], 100)
        assert [record.id for record in everyone] == [made[2], made[1], made[0]]
        assert not any(record.deleted for record in everyone)

    def test_count_is_of_the_living(self, world: World) -> None:
        made = world.companies(4)
        world.delete(world.names.company, made[0])
        assert world.adapter.count(world.query()) == 3
        only = world.query([Condition(world.names.name, "=", ("Company 0002",))])
        assert world.adapter.count(only) == 1

    # ── what the CRM says of itself ──────────────────────────────────────────────────────────────────────────────────

    def test_describe_shows_what_the_fields_take(self, world: World) -> None:
        names = world.names
        fields = world.adapter.describe(names.company).fields
        assert (fields[names.note].type, fields[names.note].length) == ("text", world.longest_note)
        assert set(fields[names.plan].options) == {"Basic", "Gold"}
        assert fields[names.plan].restricted
        assert fields[names.score].type == "number"
        assert fields[names.ticked].type == "boolean"
        assert fields[names.seen].type == "datetime"
        assert fields[names.key].unique
        assert fields[names.note].updateable

    def test_describe_leaves_out_what_is_hidden(self, world: World) -> None:
        world.hide(world.names.company, world.names.note)
        assert world.names.note not in world.adapter.describe(world.names.company).fields

    def test_describe_is_of_now(self, world: World) -> None:
        names = world.names
        assert names.note in world.adapter.describe(names.company).fields
        world.read(world.query(fields=(names.note,)))
        world.hide(names.company, names.note)
        assert names.note not in world.adapter.describe(names.company).fields

    def test_describe_of_an_unknown_object_is_an_error(self, world: World) -> None:
        with pytest.raises(SchemaChanged):
            world.adapter.describe("Nothing_Like_It__c")

    def test_org_names_the_crm_and_its_clock(self, world: World) -> None:
        org = world.adapter.org()
        assert org.id
        assert org.name
        assert org.user
        assert org.api_version
        assert abs(org.server_time - world.clock.now()) <= timedelta(seconds=1)
        assert "/" in org.timezone or org.timezone == "UTC"

    def test_an_org_for_tests_says_so(self, world: World) -> None:
        assert world.adapter.org().test_kind == ""
        world.become_test_org()
        assert world.adapter.org().test_kind.startswith("a ")

    def test_every_record_has_an_address_of_its_own(self, world: World) -> None:
        one, two = world.company("One"), world.company("Two")
        urls = {world.adapter.record_url(Ref("acme", world.names.company, each)) for each in (one, two)}
        assert len(urls) == 2
        assert all(url.startswith("https://") for url in urls)

    def test_errors_are_crm_errors_that_say_where(self, world: World) -> None:
        world.break_all("down")
        with pytest.raises(CrmError) as caught:
            world.adapter.count(world.query())
        assert world.adapter.connection in caught.value.where
