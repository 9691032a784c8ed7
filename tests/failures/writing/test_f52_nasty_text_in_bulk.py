"""Text with quotes, commas and ends of lines stays one value of one record, in the files that Salesforce gives and takes."""

import pytest
from environment import DAY, HOUR, Environment
from incidents import fact_of_accounts, rows, tiny_pages

from connector.store import tables

NASTY = (
    'He said "no", and left;\nthen, "", nothing.',
    '"',
    'a,b\n\nc,"d"',
    "O'Dell \\ Söhne 😀",
    "=1+1",
    "#N/A",
)


def test_what_is_read_in_bulk_is_what_is_there(acme: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.salesforce.records.bulk_reader.LEAST", 1)
    monkeypatch.setattr("adapters.salesforce.records.bulk_reader.SCARCE", 0)
    tiny_pages(acme)
    fact_of_accounts(acme, "about", '"Description"')
    texts = (*NASTY, "one\r\ntwo")
    for number, text in enumerate(texts):
        acme.org.update("Account", acme.account(f"Company {number}"), {"Description": text})
    acme.later(HOUR)
    stored = {row.name: row.facts["about"] for row in rows(acme, tables.account)}
    assert stored == {f"Company {number}": text for number, text in enumerate(texts)}
    assert "Account" in {job.object for job in acme.org.jobs.by_id.values()}


def test_what_is_written_in_bulk_is_what_was_meant(acme: Environment) -> None:
    bulk = acme.installation.endpoints[0].adapter.bulk
    assert bulk is not None
    bulk.least = 1
    said = {}
    for number, text in enumerate(NASTY):
        account = acme.account(f"Company {number}")
        acme.closed_case(account, acme.contact(account, f"Person {number}", f"p{number}@nw.example"))
        said[f"p{number}@nw.example"] = text
    acme.later(HOUR)
    acme.later(DAY)
    for mail in acme.mailbox.mails:
        acme.answer(mail, 4, said[mail.to])
    acme.mark()
    assert acme.lap().exit_code == 0
    wanted = {row.ref: row.desired["summary"] for row in rows(acme, tables.outbox_record, target="account")}
    shown = {f"Account/{row['Id']}": row.get("Afterword_Summary__c") for row in acme.org.rows("Account")}
    assert shown == wanted
    assert all(wanted.values())
    # Nothing had to be written once more in another way.
    assert [call.path for call in acme.writes if "composite" in call.path] == []
