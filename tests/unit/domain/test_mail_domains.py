"""Which mail domains are the company's own, going by its CRM users."""

import pytest

from connector.domain.mail_domains import company_domains, domain_of, is_free_mail


@pytest.mark.parametrize(
    ("addresses", "ours"),
    [
        (["ann@acme.example", "bo@acme.example"], ("acme.example",)),
        (["ann@acme.example", "bo@ACME.example", "x@consultant.example"], ("acme.example",)),
        (["ann@acme.example", "bo@acme.example", "c@acme.fi", "d@acme.fi"], ("acme.example", "acme.fi")),
        (["ann@bücher.example", "bo@XN--BCHER-KVA.example"], ("xn--bcher-kva.example",)),
        (["ann@acme.example"], ("acme.example",)),
        (["ann@acme.example", "x@consultant.example"], ()),
        (["ann@gmail.com", "bo@gmail.com"], ()),
        (["ann@gmail.com", "bo@acme.example"], ("acme.example",)),
        ([], ()),
        (["nobody"], ()),
    ],
)
def test_what_users_share_is_the_companys(addresses: list[str], ours: tuple[str, ...]) -> None:
    assert company_domains(addresses) == ours


def test_free_mail_is_known_in_any_case() -> None:
    assert is_free_mail("GMail.com")
    assert all(map(is_free_mail, ("bluewin.ch", "comcast.net", "btinternet.com", "seznam.cz", "posteo.de", "pm.me")))
    assert not is_free_mail("acme.example")
    assert domain_of("Ann@Acme.Example") == "acme.example"
