"""Whose fault a bad address is."""

import pytest
from mail_config import mail_config
from mail_servers import NOW, message

from adapters.email.mime import mime
from connector.errors import MailboxRefused, MailUnavailable


def test_a_bad_address_of_our_own_is_nobody_elses_fault() -> None:
    ours = mail_config({"host": "localhost", "from": "Acme <care@>"})
    with pytest.raises(MailUnavailable, match="not an e-mail address") as caught:
        mime(message(), config=ours, now=NOW)
    assert caught.value.where == "config.toml: email"


def test_a_bad_address_of_a_contact_is_refused() -> None:
    ours = mail_config({"host": "localhost", "from": "Acme <care@acme.example>"})
    with pytest.raises(MailboxRefused):
        mime(message(to="maria at home"), config=ours, now=NOW)
