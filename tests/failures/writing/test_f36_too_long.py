"""Text is cut to what its field takes, between characters, with "…"; the whole of it stays with us."""

from default_mappings import packaged
from environment import Environment, mapping_line
from incidents import asked, rows, words

from adapters.sandbox.salesforce.org.schema import Field
from connector.domain.text_cutting import units
from connector.store import tables

COMMENT = "Nobody called back 👍🏽 and the part was wrong. " * 40


def test_a_long_comment_is_cut_for_the_crm_and_kept_whole_by_us(either: Environment) -> None:
    who = asked(either, 1, comment=COMMENT)
    shown = either.figures(words(either, "Account"), who["account"])
    assert units(shown["summary"]) <= 255
    assert "…" in shown["summary"]
    assert "Nobody called back" in shown["summary"]
    assert not shown["summary"].replace("…", "").rstrip(' "”').endswith("👍")
    assert len(either.tasks()) == 1
    assert rows(either, tables.refused_record) == []
    (response,) = rows(either, tables.response)
    assert response.comment == COMMENT.strip()


def test_a_field_of_the_admins_own_that_is_shorter_sets_the_limit(acme: Environment) -> None:
    org = acme.org
    org.new_field("Account", Field("Short__c", "string", "Short", length=40), grant=True)
    ours = org.rows("FieldPermissions", Field="Account.Afterword_Attention__c")
    for row in ours:
        org.grant(row["ParentId"], "Account", "Short__c")
    text = packaged("salesforce").replace('"Afterword_Attention__c"', '"Short__c", own = true')
    acme.configure(extra=mapping_line(acme, text))
    who = asked(acme, 1, comment=COMMENT)
    shown = acme.record("Account", who["account"])["Short__c"]
    assert 20 < units(shown) <= 40
    assert shown.endswith("…")
    assert rows(acme, tables.refused_record) == []
