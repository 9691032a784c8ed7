"""What settings and mappings must say of each other before anything runs."""

from pathlib import Path

import pytest

from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.errors import SettingsError
from connector.settings import load

CONFIG = """
[crm.acme]
adapter = "salesforce"
url = "https://acme.my.salesforce.com"
access_token = "x"
[surveys.after-case]
on = "case.closed"
"""


def read(folder: Path, where: str) -> None:
    path = folder / "config.toml"
    path.write_text(f"{CONFIG}where = {{ {where} }}\n", encoding="utf-8")
    wiring.read_mappings(load(path, environ={}, adapters=installed_adapters()))


@pytest.mark.parametrize("fact", ["priority", "industry", "department", "email_invalid"])
def test_a_condition_may_name_facts_of_the_interaction_its_account_and_its_contact(fact: str, tmp_path: Path) -> None:
    read(tmp_path, f'{fact} = ["High"]')


@pytest.mark.parametrize("fact", ["prioritty", "stage"])
def test_a_condition_on_a_fact_that_nothing_gives_is_an_error_and_not_a_silence(fact: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f'priority = "High", {fact} = ["High"]')
    (problem,) = caught.value.problems
    assert problem.where == f"config.toml: surveys.after-case.where.{fact}"
    assert "priority" in problem.remedy
    assert "industry" in problem.remedy


def test_what_every_adapter_says_of_its_connection_comes_in_one_run_under_the_files_own_name(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    path.write_text(
        """
        [crm.acme]
        adapter = "salesforce"
        url = "http://localhost:1"
        access_token = "x"
        [crm.hub]
        adapter = "hubspot"
        url = "http://localhost:2"
        access_token = "x"
        """,
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as caught:
        load(path, environ={}, adapters=installed_adapters())
    places = [problem.where.removeprefix(f"{tmp_path}/") for problem in caught.value.problems]
    assert places == ["office.toml: crm.acme.url", "office.toml: crm.hub.url"]


@pytest.mark.parametrize(("company", "name"), [('name = "Northwind"', "Northwind"), ("", "Northwind Care")])
def test_mails_and_pages_call_us_what_company_says_else_what_the_sender_is_called(
    company: str, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    sender = '[email]\nhost = "localhost"\nsecurity = "none"\nfrom = "Northwind Care <care@northwind.example>"\n'
    path.write_text(f"{CONFIG}[company]\n{company}\n{sender}", encoding="utf-8")
    assert wiring.site(load(path, environ={}, adapters=installed_adapters())).sender_name == name
