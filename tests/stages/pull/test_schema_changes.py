"""Fields that are renamed, removed or hidden between two laps: what can be missed is left out, the rest of the CRM goes on."""

from lap_world import DAY, HOUR, LapWorld

from connector.errors import MailUnavailable, NotPermitted
from connector.stages.lap import Report
from connector.store import tables
from connector.store.ops import connections


def cursor_marks(world: LapWorld) -> dict[str, str]:
    return {row.object: row.fingerprint for row in world.rows(tables.cursor)}


def unread(world: LapWorld) -> list[dict[str, str]]:
    with world.store.read() as tx:
        return connections.unread(tx, "acme")


def read(report: Report, kind: str) -> int:
    return report.pulled["acme"].counts[kind].read


def test_f49_an_optional_field_that_goes_is_left_out_in_the_same_lap(world: LapWorld) -> None:
    account = world.account()
    world.lap()
    marks = cursor_marks(world)
    world.crm.remove_field("Account", "Rating")
    world.crm.contact(account, "Maria")
    report = world.lap()
    assert (report.exit_code, report.failures) == (0, {})
    assert read(report, "contact") >= 1
    (news,) = report.news["acme"]
    assert "Account has no field Rating" in news.what
    assert unread(world) == []
    # Only what is read in another way now begins anew.
    after = cursor_marks(world)
    assert {name for name in after if after[name] != marks[name]} == {"Account"}
    assert world.lap().news == {}


def test_an_object_that_may_not_be_read_is_told_beside_one_that_has_changed(world: LapWorld) -> None:
    world.account()
    world.crm.remove_field("Account", "Rating")
    world.crm.faults.fail(NotPermitted("no access to contacts"), kind="read", object="Contact", times=1)
    report = world.lap()
    assert read(report, "account") == 1
    assert [error.what for error in report.failures["acme"]] == ["no access to contacts"]
    assert report.exit_code == 3
    assert [one["object"] for one in unread(world)] == ["Contact"]


def test_f49_a_field_that_cannot_be_missed_pauses_its_object_alone(world: LapWorld) -> None:
    account = world.account()
    invitation_before = len(world.rows(tables.invitation))
    contact = world.crm.contact(account, "Maria")
    world.lap()
    world.crm.hide("Case", "LastModifiedDate")
    world.crm.update(account, {"Name": "Southwind"})
    report = world.lap()
    assert read(report, "account") >= 1
    assert report.exit_code == 0  # the default mapping calls cases optional
    (news,) = report.news["acme"]
    assert "Case has no field LastModifiedDate" in news.what
    world.crm.show("Case", "LastModifiedDate")
    world.clock.advance(DAY)
    world.crm.close(world.crm.case(account, contact))
    world.clock.advance(HOUR)
    world.lap()
    assert len(world.rows(tables.invitation)) == invitation_before + 1


def test_a_schema_that_a_wrong_clock_has_dated_ahead_does_not_last_until_then(world: LapWorld) -> None:
    world.crm.hide("Account", "Rating")
    world.lap()
    with world.store.write() as tx:
        connections.remember(tx, "acme", {"schema_at": world.clock.now() + 1000 * DAY})
    world.crm.show("Account", "Rating")
    world.lap(after=DAY)
    with world.store.read() as tx:
        stored = connections.stored_schema(tx, "acme")
    assert stored is not None
    assert "Rating" in stored.objects["Account"].fields


def test_f49_without_contacts_nothing_is_sent_and_status_says_why(world: LapWorld) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria")
    world.lap()
    world.crm.close(world.crm.case(account, contact))
    world.crm.hide("Contact", "Email")
    report = world.lap()
    assert report.exit_code == 2
    assert read(report, "case") == 1
    assert world.mailbox.messages == []
    (told,) = unread(world)
    assert "Contact has no field Email" in told["what"]
    assert told["remedy"]
    world.crm.show("Contact", "Email")
    assert world.lap().exit_code == 0
    assert unread(world) == []
    assert len(world.mailbox.messages) == 1


def test_f49_a_kind_that_cannot_be_read_is_not_taken_as_deleted(world: LapWorld) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria")
    world.mailbox.failing = [MailUnavailable("no answer.")]
    world.crm.close(world.crm.case(account, contact))
    world.lap()
    (row,) = world.rows(tables.invitation)
    world.crm.hide("Case", "ClosedDate")
    world.lap(after=HOUR)
    (same,) = world.rows(tables.invitation)
    assert (row.state, same.state) == ("due", "due")
    world.crm.show("Case", "ClosedDate")
    world.clock.advance(DAY)
    world.lap(after=HOUR)
    assert [message.to for message in world.mailbox.messages] != []
