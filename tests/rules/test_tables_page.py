"""docs/tables.md shows the tables as they are."""

import re

from tables_page import COMMAND, PAGE, drawn, groups, renewed

from connector.store.tables import metadata


def test_the_page_shows_the_tables_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), f"the schema has changed: run {COMMAND}"


def test_each_table_is_drawn_once_with_all_its_columns() -> None:
    shown = dict(re.findall(r"^    (\w+) \{\n(.*?)^    \}$", drawn(), re.MULTILINE | re.DOTALL))
    assert set(shown) == set(metadata.tables)
    assert sum(len(members) for _, members in groups().values()) == len(metadata.tables)
    for name, table in metadata.tables.items():
        assert [line.split()[1] for line in shown[name].splitlines()] == [column.name for column in table.columns]


def test_every_foreign_key_is_a_solid_line() -> None:
    lines = drawn().splitlines()
    keys = [
        f"    {key.column.table.name} ||--o{{ {table.name} : {key.parent.name}"
        for table in metadata.tables.values()
        for key in table.foreign_keys
    ]
    assert keys
    assert [line for line in keys if line not in lines] == []


def test_the_page_says_how_to_renew_it() -> None:
    assert f"`{COMMAND}`" in PAGE.read_text(encoding="utf-8")


def test_the_architecture_names_tables_that_there_are() -> None:
    page = (PAGE.parent / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("\n## Where state lives\n")[2].partition("\n## ")[0]
    named = {name for line in section.splitlines() if line.startswith("| ") for name in re.findall(r"`(\w+)`", line)}
    assert len(named) > 20
    assert sorted(named - set(metadata.tables)) == []
