"""What the commands tell an admin who is no developer: where they stand, and what to do next."""

import pytest
from environment import Environment

CASES = '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\n[follow_up.unhappy]\nwhen = "csat <= 2"\n'


@pytest.fixture
def live(today: Environment) -> Environment:
    today.configure(CASES)
    assert today.command("sync").code == 0
    return today


def test_check_ends_with_what_it_comes_to(live: Environment) -> None:
    said = live.command("check").out.strip().splitlines()
    assert said[-1].startswith(("Everything is fine.", "Nothing is wrong that stops Afterword; "))
    live.write_config(live.config.read_text(encoding="utf-8").replace('delay = "0s"', 'delay = "soon"'))
    done = live.command("check")
    assert (done.code, done.out.strip().splitlines()[-1]) == (2, "1 problem to put right.")


def test_the_past_can_be_looked_at_again_after_months_of_answers(live: Environment) -> None:
    account = live.account("Northwind")
    live.closed_case(account, live.contact(account, "Maria Virtanen", "maria@nw.example"))
    live.lap()
    live.answer(live.mailbox.mails[0], 1, "No.")
    live.lap()
    done = live.command("plan", "--since", "90d")
    assert done.code == 0, done.err
    assert "after-case: 1 ended, 1 person would have been asked" in done.out


def test_a_sync_while_paused_says_so(live: Environment) -> None:
    live.command("pause", "--reason", "holiday")
    done = live.command("sync")
    assert done.code == 0
    assert "Paused" in done.err
    assert "afterword resume" in done.err
    live.command("resume")
    assert "Paused" not in live.command("sync").err


def test_a_token_file_without_a_token_is_no_fault_of_ours(live: Environment) -> None:
    file = live.folder / "admin-token.txt"
    for content in (None, b"\n", b"\xff\xfe", b"00D\nAQ"):
        if content is not None:
            file.write_bytes(content)
        done = live.command("setup-crm", "--dry-run", "--admin-token-file", str(file))
        assert done.code == 2, content
        assert "--admin-token-file" in done.err
        assert "Traceback" not in done.err


def test_times_in_status_are_for_people(live: Environment) -> None:
    said = live.command("status").out
    assert " UTC" in said
    assert "+00:00" not in said


def test_a_set_up_that_the_crm_refuses_stops_at_once_and_says_what_to_do(today: Environment) -> None:
    today.configure(CASES)
    first, *steps = today.command("setup-crm", "--undo", "--dry-run").out.strip().splitlines()
    assert all(step.strip().startswith(("- Remove ", "- No longer ")) for step in steps)
    assert len(steps) < 16
    count = int(first.split(": ")[1].split()[0])
    done = today.command("setup-crm", "--undo")
    assert done.code == 1
    assert done.out.count("failed:") == 1
    assert f"stopped: {count - 1} steps left" in done.out
    assert "administrator" in done.out
    assert "permission set Afterword to it" not in done.out
    assert done.err.strip().splitlines()[-1].endswith("--admin-token-file FILE.")


def test_fields_with_values_in_them_are_not_taken_away_by_accident(today: Environment) -> None:
    today.configure(CASES)
    account = today.account("Northwind")
    today.org.update("Account", account, {"Afterword_Mood__c": "Happy"})
    token = today.folder / "admin.txt"
    token.write_text(today.org.admin_token, encoding="utf-8")
    words = ("setup-crm", "--undo", "--admin-token-file", str(token))
    refused = today.command(*words)
    assert refused.code == 2
    assert "with the values in: Customer mood (Afterword_Mood__c) on 1 record." in refused.out
    assert "--with-values" in refused.err
    assert today.shows("Account", account)["Mood"] == "Happy"
    assert today.command(*words, "--with-values").code == 0
    assert today.shows("Account", account) == {}
    assert today.command(*words).out.strip() == "acme: nothing to do."
    kept = b"".join(file.read_bytes() for file in today.folder.glob("afterword.db*"))
    assert today.org.admin_token.encode() not in kept


def test_an_admin_token_is_shown_to_one_crm_alone(today: Environment) -> None:
    today.configure(CASES, extra='[crm.other]\nadapter = "hubspot"\naccess_token = "pat-x"\n')
    done = today.command("setup-crm", "--dry-run", "--admin-token-file", "token.txt")
    assert done.code == 2
    assert "several: acme, other. Say which: add --crm NAME." in " ".join(done.err.split())


def test_a_span_that_is_none_is_named(today: Environment) -> None:
    done = today.command("plan", "--since", "5x")
    assert done.code == 2
    assert "'5x' is not a duration" in done.err
