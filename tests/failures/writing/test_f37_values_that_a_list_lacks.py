"""A list of values belongs to the admin: one that lacks ours is named with what it allows, and the mapping can say theirs instead."""

from dataclasses import replace
from typing import Any

from default_mappings import packaged
from environment import DAY, HOUR, Environment, mapping_line
from incidents import asked, rows, words

from connector.commands.check import checks
from connector.store import tables

OURS, THEIRS = "Last answer bad", "Letzte Antwort schlecht"


def rename_option(env: Environment) -> None:
    """Let the admin rename a value of the mood's list."""
    org: Any = env.org
    if env.ADAPTER == "hubspot":
        held = org.object("companies")
        mood = held.properties["afterword_mood"]
        options = tuple(replace(one, value=one.value.replace(OURS, THEIRS)) for one in mood.options)
        held.properties["afterword_mood"] = replace(mood, options=options)
        return
    (row,) = org.rows("CustomField", DeveloperName="Afterword_Mood")
    spec = org.object("Account").fields["Afterword_Mood__c"]
    values = tuple(one.replace(OURS, THEIRS) for one in spec.values)
    org.change_field(row, replace(spec, values=values), row["Metadata"])


def test_a_value_that_was_renamed_is_told_by_check_and_on_the_record_and_holds_up_nothing_else(
    either: Environment,
) -> None:
    who = asked(either)
    rename_option(either)
    (problem,) = [
        candidate
        for candidate in checks.check(either.installation).problems
        if "mood" in f"{candidate.where} {candidate.what}"
    ]
    assert OURS in problem.what
    assert THEIRS in f"{problem.what} {problem.remedy}"
    either.answer(either.mailbox.mails[0], 1, "Nobody called back.")
    either.lap()
    # Refused by the CRM, or known beforehand from its schema: either way that field alone is left empty.
    for row in rows(either, tables.refused_record, direction="write"):
        assert who["account"] in row.key
        assert "mood" in row.what.lower()
    shown = either.figures(words(either, "Account"), who["account"])
    assert "mood" not in shown
    assert shown["people"] in (1, "1")
    assert len(either.tasks()) == 1
    assert "last_rating" in either.figures(words(either, "Contact"), who["contact"])


def test_the_mapping_says_the_admins_value_for_ours(either: Environment) -> None:
    who = asked(either)
    rename_option(either)
    either.answer(either.mailbox.mails[0], 1)
    either.later(HOUR)
    text = packaged(either.ADAPTER)
    label = 'label = "Customer mood"'
    text = text.replace(label, f'{label}, values = {{ "{OURS}" = "{THEIRS}" }}')
    either.configure(extra=mapping_line(either, text))
    either.later(DAY)
    assert either.figures(words(either, "Account"), who["account"])["mood"] == THEIRS
    assert rows(either, tables.refused_record) == []
