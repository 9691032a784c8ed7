"""People of an earlier version, kept by the CRM's spelling of their address, are known by its one spelling after the upgrade."""

import hashlib
import hmac
from datetime import UTC, datetime

from databases import NewStore
from sqlalchemy import text

from connector.store.db.migrate import migrate
from connector.store.surveys import people

BEFORE = "0016"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CONTACT = (
    "INSERT INTO contact (id, connection, ref, name, email, person, no_surveys, facts)"
    " VALUES (:id, 'acme', :id, 'M', :email, :person, :no, '{}')"
)
BOUNCE = "INSERT INTO person (person, bounced_at, bounce) VALUES (:person, :at, '550 no such user')"
OPT_OUT = "INSERT INTO person (person, opted_out_at, opted_out_by) VALUES (:person, :at, 'link')"


def test_contacts_and_opt_outs_move_to_the_one_spelling(new_store: NewStore) -> None:
    store = new_store()
    migrate(store, to=BEFORE)
    letters = ["maria@bücher.example", "info@straße.example", "ann@acme.example", "eve@i❤.example"]
    with store.write() as tx:
        key = people.person_key(tx)
        old = {email: hmac.digest(key, email.encode(), hashlib.sha256).hex()[:32] for email in letters}
        for number, email in enumerate(letters):
            row = {"id": f"c{number}", "email": email, "person": old[email], "no": False}
            tx.execute(text(CONTACT), row)
            tx.execute(text(OPT_OUT), {"person": old[email], "at": NOW})
        # Known under both spellings: only the other one had bounced.
        ascii_person = people.person_of(key, "maria@xn--bcher-kva.example")
        tx.execute(text(BOUNCE), {"person": ascii_person, "at": NOW})
    migrate(store)
    with store.read() as tx:
        emails = {row.email: row.person for row in tx.execute(text("SELECT email, person FROM contact"))}
        marks = people.people(tx, list(emails.values()))
    assert sorted(emails) == [
        "ann@acme.example",
        "eve@i❤.example",
        "info@xn--strae-oqa.example",
        "maria@xn--bcher-kva.example",
    ]
    assert all(person == people.person_of(key, email) for email, person in emails.items())
    assert all(row.opted_out_at == NOW for row in marks.values())
    assert len(marks) == 4
    assert marks[ascii_person].bounce == "550 no such user"
