"""What an export holds of an installation's answers, accounts and follow-ups."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from databases import BOTH_DATABASES
from lap_world import LapWorld
from sqlalchemy import insert

from connector.commands import export
from connector.errors import SettingsError
from connector.exports import tables
from connector.exports.table_names import TableName
from connector.store import tables as t
from connector.store.views import exports as queries


def exported(world: LapWorld, table: TableName, folder: Path, period: str | None = None) -> list[dict[str, str]]:
    path = folder / "out.csv"
    rows = export.export(world.installation, table, path, period)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == rows
    return found


@BOTH_DATABASES
def test_answers_are_exported_with_their_words_and_scale(world: LapWorld, tmp_path: Path) -> None:
    account = world.account("Northwind")
    world.rated(account, 1, comment="=still broken", who="Maria Virtanen")
    (row,) = exported(world, TableName.RESPONSES, tmp_path)
    assert row["account"] == "Northwind"
    assert row["contact"] == "Maria Virtanen"
    assert (row["metric"], row["value"], row["low"], row["high"]) == ("csat", "1", "1", "5")
    assert row["comment"] == "'=still broken"
    assert row["counts"] == "true"


@BOTH_DATABASES
def test_a_follow_up_is_exported_with_its_state_and_owner(world: LapWorld, tmp_path: Path) -> None:
    world.rated(world.account("Northwind"), 1)
    (row,) = exported(world, TableName.FOLLOW_UPS, tmp_path)
    assert (row["account"], row["owner"], row["state"]) == ("Northwind", "Ritva Laine", "open")
    assert row["answers"] == "1"


@BOTH_DATABASES
def test_accounts_are_exported_with_and_without_figures(world: LapWorld, tmp_path: Path) -> None:
    world.account("Silent Oy")
    northwind = world.account("Northwind")
    world.rate_all([(northwind, value) for value in (4, 5, 5, 5, 4, 5, 5, 4)])
    rows = {row["account"]: row for row in exported(world, TableName.ACCOUNTS, tmp_path)}
    assert rows["Silent Oy"]["satisfaction"] == ""
    assert rows["Northwind"]["people"] == "8"
    assert 50 < float(rows["Northwind"]["satisfaction"]) < 100


@BOTH_DATABASES
def test_a_period_holds_what_came_in_it_and_nothing_else(world: LapWorld, tmp_path: Path) -> None:
    account = world.account("Northwind")
    world.rated(account, 1)
    world.clock.advance(timedelta(days=30))
    world.rated(account, 5)
    values = {
        period: [row["value"] for row in exported(world, TableName.RESPONSES, tmp_path, period)]
        for period in ("2026-11", "2026-12", "2026-Q4", "2027")
    }
    assert values == {"2026-11": ["1"], "2026-12": ["5"], "2026-Q4": ["1", "5"], "2027": []}
    (then,) = exported(world, TableName.ACCOUNTS, tmp_path, "2026-11")
    assert then["people"] == "1"


@BOTH_DATABASES
def test_who_was_asked_and_who_was_not_stands_in_a_sheet(world: LapWorld) -> None:
    account = world.account("Northwind")
    world.rated(account, 5, who="Maria Virtanen")
    with world.store.read() as tx:
        period = export._period("2026", world.installation)
        (cells,) = tables.asked(tx, period).cells()
    assert cells[2:7] == ["after-case", cells[3], "Northwind", "Maria Virtanen", "invited"]


@pytest.mark.parametrize("period", ["soon", "2026-13"])
@BOTH_DATABASES
def test_a_period_that_cannot_be_meant_is_named_with_a_remedy(world: LapWorld, tmp_path: Path, period: str) -> None:
    with pytest.raises(SettingsError, match="Write a month as 2026-10"):
        export.export(world.installation, TableName.ACCOUNTS, tmp_path / "out.csv", period)


@BOTH_DATABASES
def test_rows_are_read_page_by_page_and_none_is_lost(
    world: LapWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 7)
    now = world.clock.now()
    with world.store.write() as tx:
        for number in range(40):
            # Of one moment, so that a page ends among equals.
            row = {"id": f"r{number:02d}", "revision": 1, "survey": "s", "connection": "acme", "label": "x"}
            tx.execute(insert(t.response).values(**row, at=now, source="import", counts=True))
            rating = {"metric": "csat", "question": "csat", "low": 1, "high": 5, "direction": "up"}
            tx.execute(insert(t.rating).values(response_id=row["id"], value=number % 5 + 1, **rating))
    assert len(exported(world, TableName.RESPONSES, tmp_path)) == 40
