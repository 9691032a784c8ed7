"""A migration keeps every row that it does not name, or changes nothing at all."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from databases import NewStore
from sqlalchemy import func, select

from connector.errors import StoreError
from connector.store import Store, tables
from connector.store.db import migrate as migrating
from connector.store.db.migrate import current, head, migrate, outlook, revisions

HEADER = """\
\"\"\"A version to come\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"
"""
REBUILD = """
def upgrade():
    with op.batch_alter_table("response") as table:
        table.alter_column("label", type_=sa.Text(), existing_type=sa.String(), existing_nullable=False)
    with op.batch_alter_table("decision") as table:
        table.alter_column("survey", new_column_name="questions", existing_type=sa.String(), existing_nullable=False)
"""
ROWS = (
    "INSERT INTO decision (id, survey, connection, interaction_id, contact_id, state, decided_at)"
    " VALUES ('d', 's', 'acme', 'i', 'c', 'invited', '2026-11-01 00:00:00')",
    "INSERT INTO invitation (id, decision_id, survey, connection, contact_id, interaction_id, person, email, name, language,"
    " label, questionnaire, created_at, due_at, expires_at, state) VALUES ('v', 'd', 's', 'acme', 'c', 'i', 'p', 'a@b.example',"
    " 'A', 'en', 'case 1', '{}', '2026-11-01 00:00:00', '2026-11-01 00:00:00', '2026-12-01 00:00:00', 'sent')",
    "INSERT INTO response (id, invitation_id, revision, survey, connection, label, at, source, counts)"
    " VALUES ('r', 'v', 1, 's', 'acme', 'case 1', '2026-11-02 00:00:00', 'page', TRUE)",
    "INSERT INTO rating (response_id, metric, question, value, low, high, direction)"
    " VALUES ('r', 'csat', 'csat', 1, 1, 5, 'up'), ('r', 'ces', 'ces', 2, 1, 7, 'up')",
)
Next = Callable[[str], Path]


@pytest.fixture
def small(new_store: NewStore) -> Store:
    """A store of this version with one answer, and everything that it hangs on."""
    store = new_store()
    migrate(store)
    with store.write() as tx:
        for statement in ROWS:
            tx.exec_driver_sql(statement)
    return store


@pytest.fixture
def next_version(tmp_path: Path) -> Next:
    """Write the migration of a version to come; returns the folder of all migrations."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrating.SCRIPTS, folder)

    def written(body: str) -> Path:
        (folder / "versions" / "9999_next.py").write_text(HEADER.format(head=head()) + body, encoding="utf-8")
        return folder

    return written


def counts(store: Store) -> dict[str, int]:
    """Count the rows of what an answer hangs on."""
    with store.read() as tx:
        return {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.decision, tables.invitation, tables.response, tables.rating)
        }


def columns(store: Store, table: str) -> set[str]:
    """Return the names of a table's columns as the database has them."""
    with store.read() as tx:
        return set(tx.exec_driver_sql(f"SELECT * FROM {table} LIMIT 1").keys())  # noqa: S608 - names of our own


def test_a_table_that_others_point_at_is_made_anew_without_losing_what_points_at_it(
    small: Store, next_version: Next
) -> None:
    before = counts(small)
    assert migrate(small, scripts=next_version(REBUILD)) == head()
    assert (current(small), counts(small)) == ("next", before)
    assert "questions" in columns(small, "decision")


def test_foreign_keys_hold_again_after_a_migration(small: Store, next_version: Next) -> None:
    migrate(small, scripts=next_version(REBUILD))
    with pytest.raises(Exception, match=r"(?i)foreign key"), small.write() as tx:
        tx.exec_driver_sql("DELETE FROM invitation")


def test_rows_that_go_missing_take_the_migration_back(small: Store, next_version: Next) -> None:
    scripts = next_version("def upgrade():\n    op.execute(\"DELETE FROM rating WHERE metric = 'ces'\")\n")
    before = counts(small)
    with pytest.raises(StoreError, match=r"rating.*2 rows before, 1 after") as caught:
        migrate(small, scripts=scripts)
    assert (current(small), counts(small)) == (head(), before)
    assert (caught.value.where, "Nothing was changed" in caught.value.remedy) == ("store.url", True)


def test_rows_that_come_from_nowhere_take_the_migration_back(small: Store, next_version: Next) -> None:
    twice = "INSERT INTO person (person) VALUES ('a'), ('b')"
    with pytest.raises(StoreError, match=r"person.*0 rows before, 2 after"):
        migrate(small, scripts=next_version(f'def upgrade():\n    op.execute("{twice}")\n'))
    assert current(small) == head()


def test_a_migration_removes_what_it_names(small: Store, next_version: Next) -> None:
    body = (
        'removed = {"rating": "metric = \'ces\'", "alert": "true"}\n'
        'added = {"person": "SELECT count(*) FROM invitation"}\n'
        'renamed = {"customer_score": "score"}\n'
        "def upgrade():\n"
        "    op.execute(\"DELETE FROM rating WHERE metric = 'ces'\")\n"
        '    op.execute("INSERT INTO person (person) SELECT person FROM invitation")\n'
        '    op.drop_table("alert")\n'
        '    op.rename_table("customer_score", "score")\n'
    )
    migrate(small, scripts=next_version(body))
    assert (current(small), counts(small)["rating"]) == ("next", 1)


def test_more_than_it_names_takes_the_migration_back(small: Store, next_version: Next) -> None:
    body = 'removed = {"rating": "metric = \'ces\'"}\ndef upgrade():\n    op.execute("DELETE FROM rating")\n'
    with pytest.raises(StoreError, match=r"rating.*2 rows before, 0 after .1 expected"):
        migrate(small, scripts=next_version(body))
    assert counts(small)["rating"] == 2


def test_a_table_that_goes_without_being_named_takes_the_migration_back(small: Store, next_version: Next) -> None:
    with pytest.raises(StoreError, match=r"rating"):
        migrate(small, scripts=next_version('def upgrade():\n    op.drop_table("rating")\n'))
    assert counts(small)["rating"] == 2


def test_what_the_database_refuses_takes_the_migration_back(small: Store, next_version: Next) -> None:
    body = 'def upgrade():\n    op.create_index("uq_one", "rating", ["response_id"], unique=True)\n'
    before = counts(small)
    with pytest.raises(StoreError, match=r"(?i)schema next.*unique") as caught:
        migrate(small, scripts=next_version(body))
    assert (current(small), counts(small), caught.value.where) == (head(), before, "store.url")


def test_a_reference_that_leads_nowhere_takes_the_migration_back(tmp_path: Path, next_version: Next) -> None:
    store = Store(f"sqlite:///{tmp_path / 'afterword.db'}")
    migrate(store)
    with store.write() as tx:
        for statement in ROWS:
            tx.exec_driver_sql(statement)
    body = "def upgrade():\n    op.execute(\"UPDATE rating SET response_id = 'nobody' WHERE metric = 'ces'\")\n"
    with pytest.raises(StoreError, match=r"rating.*response"):
        migrate(store, scripts=next_version(body))
    with store.read() as tx:
        assert set(tx.execute(select(tables.rating.c.response_id)).scalars()) == {"r"}
    store.close()


def test_the_copy_that_is_made_first_holds_everything_as_it_was(tmp_path: Path, next_version: Next) -> None:
    path = tmp_path / "afterword.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    with store.write() as tx:
        for statement in ROWS:
            tx.exec_driver_sql(statement)
    migrate(store, scripts=next_version(REBUILD))
    store.close()
    with sqlite3.connect(path.with_name(f"{path.name}.before-{head()}")) as copy:
        assert copy.execute("SELECT survey FROM decision").fetchall() == [("s",)]
    copy.close()


def test_a_copy_that_cannot_be_made_is_said_and_nothing_is_changed(tmp_path: Path, next_version: Next) -> None:
    path = tmp_path / "afterword.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    path.with_name(f"{path.name}.before-{head()}").mkdir()
    with pytest.raises(StoreError, match=r"copy") as caught:
        migrate(store, scripts=next_version(REBUILD))
    assert (current(store), caught.value.where) == (head(), "store.url")
    store.close()


def test_what_an_upgrade_would_do_is_said_and_nothing_is_done(new_store: NewStore) -> None:
    store = new_store()
    assert (outlook(store).before, outlook(store).steps) == (None, ())
    migrate(store, to="0019")
    ahead = outlook(store)
    assert [revision for revision, _words in ahead.steps] == revisions(after="0019")
    assert ahead.steps[0][1] == "The glossary's names for tables and columns; no row changes"
    assert current(store) == "0019"
    assert ahead.copy is None or not ahead.copy.exists()
    migrate(store)
    assert (ahead.copy is not None) == store.is_sqlite
    assert ahead.copy is None or ahead.copy.exists()
    assert outlook(store).steps == ()
