"""The commands by themselves: exit codes, JSON, the stop button, and what they say."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from environment import Environment, standing

CASES = '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\n[follow_up.unhappy]\nwhen = "csat <= 2"\n'


@pytest.fixture
def begun(today: Environment) -> Environment:
    """Live, with one closed case that nobody was asked about yet."""
    today.configure(CASES)
    assert today.command("sync").code == 0
    account = today.account("Northwind")
    today.closed_case(account, today.contact(account, "Maria Virtanen", "maria@nw.example"))
    today.mark()
    return today


def test_0_when_all_is_done_and_json_stands_alone(begun: Environment) -> None:
    done = begun.command("sync", "--json")
    report = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert set(report) == {
        *("crm", "invited", "not_invited", "sent", "in_doubt", "left_due"),
        *("responses", "scored", "follow_ups", "took_s"),
    }
    assert set(report["crm"]["acme"]) == {"pulled", "written", "calls"}
    assert report["crm"]["acme"]["pulled"]["case"] == {"read": 1, "changed": 1, "deleted": 0}
    assert set(report["crm"]["acme"]["written"]) == {"created", "updated", "unchanged", "refused"}
    assert (report["invited"], report["sent"]) == (1, 1)


def test_1_when_records_were_refused(begun: Environment) -> None:
    begun.command("sync")
    begun.answer(begun.mailbox.mails[0], 1, "No.")
    begun.org.faults.refuse_row("Account", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask Jane before you touch this")
    done = begun.command("sync", "--json")
    assert done.code == 1
    assert json.loads(done.out)["crm"]["acme"]["written"]["refused"] == 1
    (refused,) = begun.status()["refused"]
    assert "Ask Jane before you touch this" in refused["what"]
    assert refused["remedy"]
    assert len(begun.tasks()) == 1  # nothing else waited for it


def test_the_last_write_back_is_shown_and_then_taken_back(begun: Environment) -> None:
    begun.command("sync")
    begun.answer(begun.mailbox.mails[0], 1, "No.")
    begun.command("sync")
    (task,) = begun.tasks()
    account = task["WhatId"]
    begun.mark()
    shown = begun.command("undo", "acme")
    assert (shown.code, begun.writes) == (0, [])
    for part in ("Northwind", "Afterword_People__c: 1", "-> (empty)", "close the task", "The same command with --yes"):
        assert part in shown.out
    done = begun.command("undo", "acme", "--yes", "--json")
    report = json.loads(done.out)
    assert (done.code, report["done"]) == (0, True)
    assert all(one["outcome"] == "updated" for one in report["records"])
    assert begun.shows("Account", account) == {}
    assert [one["Status"] for one in begun.tasks()] == ["Completed"]
    begun.mark()
    later = begun.command("sync")
    assert (begun.writes, "Paused" in later.err) == ([], True)
    assert begun.command("undo", "elsewhere").code == 2


def test_2_and_every_wrong_key_and_value_in_one_run(begun: Environment) -> None:
    text = begun.config.read_text(encoding="utf-8")
    text = text.replace('delay = "0s"', 'delay = "soon"\nsampel = 0.5').replace("csat <= 2", "csat <= 9")
    begun.write_config(text.replace("[limits]", 'mapping = "mine.toml"\n[limits]'))
    done = begun.command("sync", "--json")
    assert done.code == 2
    assert done.out == ""
    for part in ("surveys.after-case.delay", "soon", "surveys.after-case.sampel", "follow_up.unhappy.when"):
        assert part in done.err, done.err
    assert "Traceback" not in done.err
    assert begun.writes == []


def test_2_and_everything_wrong_in_a_mapping_in_one_run(begun: Environment) -> None:
    mapping = (
        '[account]\nobject = "Account"\nname = "Nmae"\n[contact]\nobject = "Contact"\nname = "Name"\nemail = "EMial"\n'
    )
    (begun.folder / "mine.toml").write_text(mapping + '[account.nonsense]\nx = "y"\n', encoding="utf-8")
    text = begun.config.read_text(encoding="utf-8")
    begun.write_config(text.replace("[limits]", 'mapping = "mine.toml"\n[limits]'))
    done = begun.command("check", "--json")
    problems = json.loads(done.out)["problems"]
    assert done.code == 2
    assert all({"where", "what", "remedy"} <= set(one) for one in problems)
    assert "nonsense" in done.out
    assert "mine.toml" in done.out


def test_2_when_a_mapped_field_is_not_in_the_crm(begun: Environment) -> None:
    from default_mappings import packaged  # noqa: PLC0415 - only here

    text = packaged("salesforce").replace('email = "Email"', 'email = "EMial"')
    (begun.folder / "mine.toml").write_text(text.replace('name = "Name"', 'name = "Nmae"'), encoding="utf-8")
    config = begun.config.read_text(encoding="utf-8")
    begun.write_config(config.replace("[limits]", 'mapping = "mine.toml"\n[limits]'))
    for command in ("check", "sync"):
        done = begun.command(command)
        assert done.code == 2
        assert "EMial" in done.out + done.err
        assert "Nmae" in done.out + done.err
    assert begun.writes == []
    assert begun.mailbox.mails == []


def test_3_when_the_crm_is_down_or_refuses_us(begun: Environment) -> None:
    begun.org.faults.fail(
        403, [{"message": "The REST API is not enabled.", "errorCode": "API_DISABLED_FOR_ORG"}], times=None
    )
    done = begun.command("sync", "--json")
    assert done.code == 3
    json.loads(done.out)
    assert "acme" in done.err
    assert begun.status()["crm"]["acme"]["last_error"]
    begun.org.faults.clear()
    assert begun.command("sync").code == 0
    assert begun.status()["crm"]["acme"]["last_error"] is None


def test_70_when_the_fault_is_our_own(begun: Environment) -> None:
    damaged = sqlite3.connect(begun.folder / "afterword.db")
    damaged.execute("DROP TABLE lap")
    damaged.close()
    done = begun.command("sync", "--json")
    assert (done.code, done.out) == (70, "")
    assert "a fault of Afterword itself" in done.err


def test_check_finds_nothing_wrong(begun: Environment) -> None:
    done = begun.command("check", "--json")
    assert [one for one in json.loads(done.out)["problems"] if one["severity"] == "error"] == []
    assert done.code == 0, done.out


def test_paused_nothing_is_sent_or_written_and_reading_goes_on(begun: Environment) -> None:
    begun.command("sync")
    begun.answer(begun.mailbox.mails[0], 1, "No.")
    begun.mark()
    assert begun.command("pause").code == 0
    account = begun.account("Paused Ltd")
    case = begun.closed_case(account, begun.contact(account, "Pat Late", "pat@nw.example"))
    done = begun.command("sync", "--json")
    assert done.code == 0
    assert json.loads(done.out)["crm"]["acme"]["pulled"]["case"]["changed"] == 1
    assert (begun.writes, begun.mailbox.mails) == ([], [])
    assert json.loads(begun.command("status", "--json").out)["paused"]
    assert "PAUSED" in begun.command("status").out
    assert "case" in begun.command("why", case).out
    assert begun.command("resume").code == 0
    assert begun.command("sync").code == 0
    assert [mail.to for mail in begun.mailbox.mails] == ["pat@nw.example"]
    assert len(begun.tasks()) == 1


def test_one_crm_can_be_paused_by_its_name(begun: Environment) -> None:
    assert begun.command("pause", "--crm", "acme").code == 0
    begun.command("sync")
    assert begun.mailbox.mails == []
    assert begun.status()["crm"]["acme"]["paused_since"]
    assert begun.command("pause", "--crm", "nobody").code == 2
    assert begun.command("resume", "--crm", "acme").code == 0
    begun.command("sync")
    assert len(begun.mailbox.mails) == 1


def test_why_tells_of_an_interaction_a_contact_and_an_account(begun: Environment) -> None:
    prospect = begun.account("Maybe Ltd", kind="Prospect")
    pat = begun.contact(prospect, "Pat Maybe", "pat@maybe.example")
    refused = begun.closed_case(prospect, pat)
    begun.command("sync")
    begun.answer(begun.mailbox.mails[0], 1, "No.")
    begun.command("sync")
    (asked,) = (row["Id"] for row in begun.org.rows("Case") if row["Id"] != refused)
    case = begun.record("Case", asked)
    for record_id in (asked, case["ContactId"], case["AccountId"]):
        told = begun.command("why", record_id)
        assert told.code == 0
        assert "asked" in told.out
        assert f"case {case['CaseNumber']}" in told.out
    assert "1 of 5" in begun.command("why", asked).out
    for record_id in (refused, pat, prospect):
        assert "customer" in begun.command("why", record_id).out
    nobody = begun.command("why", "500000000000000")
    assert "500000000000000" in nobody.out + nobody.err


def test_reconcile_puts_right_what_no_run_has_seen_and_status_tells_of_it(begun: Environment) -> None:
    begun.command("sync")
    begun.org.insert("Contact", {"LastName": "Imported"}, at=begun.clock.now() - timedelta(days=1))
    begun.command("sync")
    done = begun.command("reconcile", "--json")
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)["crm"]["acme"]
    assert (report["drift"], report["unfinished"]) == (1, False)
    assert report["objects"]["Contact"] == {"compared": 2, "drift": 1}
    told = begun.command("status").out
    assert "drift: 1 record, measured" in told
    assert json.loads(begun.command("status", "--json").out)["crm"]["acme"]["drift"]["records"] == 1
    assert "Contact: compared 2, put right 0" in begun.command("reconcile", "--crm", "acme").out


def test_migrate_makes_a_store_and_says_so_and_a_newer_one_is_left_alone(tmp_path: Path, store_address: str) -> None:
    with standing(Environment, tmp_path, store_address) as env:
        config = env.config.read_text(encoding="utf-8")
        env.write_config(config.replace(env.store_url, "sqlite:///new.db"))
        assert "empty" in env.command("migrate").out
        again = env.command("migrate")
        assert again.code == 0
        newer = sqlite3.connect(env.folder / "new.db")
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
        newer.close()
        for command in ("migrate", "sync"):
            done = env.command(command)
            assert done.code == 2, done
            assert "Traceback" not in done.err
