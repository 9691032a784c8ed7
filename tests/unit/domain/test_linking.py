"""When accounts of several CRMs are one customer."""

import pytest

from connector.domain.account_links import Linkable, customer_of, link_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://www.acme.example/en?x=1", "acme.example"),
        ("ACME.example", "acme.example"),
        (" www.acme.example. ", "acme.example"),
        ("http://acme.example:8080", "acme.example"),
        ("FI-0201256-6", "fi-0201256-6"),
        ("Acme Oy. Ltd", "acme oy. ltd"),
        ("http://[acme.example", "http://[acme.example"),
        ("acme.example\u2100co", "acme.example\u2100co"),
        ("acme.example/" + "x" * 500, None),
        ("", None),
        ("   ", None),
        (None, None),
    ],
)
def test_a_key_is_compared_by_what_it_means(text: str | None, key: str | None) -> None:
    assert link_key(text) == key


def account(name: str, crm: str, customer: str = "") -> Linkable:
    return Linkable(name, crm, customer or name)


def test_accounts_of_two_crms_become_one_customer() -> None:
    assert customer_of([account("a", "one"), account("b", "two")], {}) == "a"


def test_a_newcomer_joins_the_customer_that_has_figures() -> None:
    group = [account("a", "two"), account("b", "one")]
    assert customer_of(group, {"b": True}) == "b"


def test_a_key_that_one_crm_uses_twice_links_nothing() -> None:
    group = [account("a", "one"), account("b", "one"), account("c", "two")]
    assert customer_of(group, {"a": True}) is None


def test_one_account_alone_is_not_linked() -> None:
    assert customer_of([account("a", "one")], {}) is None
