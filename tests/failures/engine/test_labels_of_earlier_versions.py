"""`setup-crm` gives a field its new name only where it still has the one that we gave it: what an admin has called otherwise stays."""

from dataclasses import replace
from typing import Any

from default_mappings import packaged
from environment import Environment, mapping_line
from incidents import words
from rich.console import Console

from connector.cli.setup import SetUp
from connector.commands import setup_crm

OURS = {
    "salesforce": ("Afterword_Mood__c", "Afterword_People__c", "Afterword_Key__c"),
    "hubspot": ("afterword_mood", "afterword_people", "afterword_key"),
}


def rename(env: Environment, field: str, label: str) -> None:
    """Let an admin give a field of accounts another name."""
    org: Any = env.org
    if env.ADAPTER == "hubspot":
        held = org.object("companies")
        held.properties[field] = replace(held.properties[field], label=label)
        return
    (row,) = org.rows("CustomField", DeveloperName=field.removesuffix("__c"))
    spec = org.object("Account").fields[field]
    org.change_field(row, replace(spec, label=label), {**row["Metadata"], "label": label})


def labels(env: Environment) -> dict[str, str]:
    """Return what the fields are called in the CRM."""
    adapter = env.installation.endpoints[0].adapter
    fields = {**adapter.describe(words(env, "Task")).fields, **adapter.describe(words(env, "Account")).fields}
    return {name: fields[name].label for name in OURS[env.ADAPTER]}


def newer_mapping(env: Environment) -> None:
    """Let a newer version call three fields otherwise."""
    text = packaged(env.ADAPTER)
    for old, new in (
        ("Customer mood", "How they feel"),
        ("People who answered", "Answers of"),
        ("Afterword key", "Key"),
    ):
        assert text.count(f'label = "{old}') == 1
        text = text.replace(f'label = "{old}', f'label = "{new}')
    env.configure(extra=mapping_line(env, text))


def set_up(env: Environment, *, dry_run: bool = False) -> str:
    """Run `setup-crm` with an admin's rights; returns what it printed."""
    app = env.installation
    endpoint = app.endpoints[0]
    console = Console(width=200, record=True, quiet=False, force_terminal=False)
    with env.admin() as adapter, console.capture() as printed:
        assert SetUp(console, app, endpoint, adapter, dry_run=dry_run).run() == 0
    return printed.get()


def test_what_we_called_a_field_is_changed_and_an_admins_word_stays(either: Environment) -> None:
    mood, people, key = OURS[either.ADAPTER]
    rename(either, people, "Antworten")
    newer_mapping(either)
    before = labels(either)
    seen = set_up(either, dry_run=True)
    assert ("How they feel" in seen, "Customer mood" in seen, "Answers of" in seen) == (True, True, False)
    assert labels(either) == before
    set_up(either)
    assert labels(either) == {mood: "How they feel", people: "Antworten", key: "Key (leave as it is)"}
    again = set_up(either)
    assert "How they feel" not in again
    # It is known by now that we called it so: the next version may change it once more, and the admin too.
    given = setup_crm.labels_given(either.installation.store, either.installation.endpoints[0])
    assert "How they feel" in given.values()
    rename(either, mood, "Stimmung")
    either.configure()
    set_up(either)
    assert labels(either) == {mood: "Stimmung", people: "Antworten", key: "Afterword key (leave as it is)"}
