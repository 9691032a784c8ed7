"""Addresses with letters outside ASCII before the @: only over a server that announces SMTPUTF8 (RFC 6531)."""

import pytest
from hostile import head_of
from mail_servers import SCRIPT, Broken, Sink, broken_server, message, smtp_server

from connector.errors import MailUnavailable, MessageRefused

WITHOUT = {"enable_SMTPUTF8": False}


def test_a_persons_address_outside_ascii_arrives_in_to_as_it_is(make):
    sink = Sink()
    with smtp_server(sink, enable_SMTPUTF8=True) as port:
        make(port).prepare(message(to="jörg@bücher.example", to_name="Jörg")).send()

    assert sink.arrived[0].rcpt_tos == ["jörg@xn--bcher-kva.example"]
    assert sink.arrived[0].smtp_utf8 is True
    to = dict(head_of(sink.arrived[0].content))["To"]
    assert to.endswith(" <jörg@xn--bcher-kva.example>".encode())


def test_without_smtputf8_that_mail_alone_is_refused_and_the_address_is_not_to_blame(make):
    sink = Sink()
    with smtp_server(sink, **WITHOUT) as port:
        channel = make(port)
        with pytest.raises(MessageRefused, match="does not announce SMTPUTF8") as caught:
            channel.prepare(message(to="jörg@customer.example")).send()
        assert caught.value.permanent, "it is tried once a day: the server may learn it"
        channel.prepare(message()).send()

    assert [one.rcpt_tos for one in sink.arrived] == [["maria@customer.example"]]


@pytest.mark.parametrize("own", [{"from": "Acme <größe@acme.example>"}, {"reply_to": "größe@acme.example"}])
def test_our_own_address_outside_ascii_is_no_recipients_fault(make, own):
    sink = Sink()
    with smtp_server(sink, **WITHOUT) as port:
        channel = make(port, **own)
        [problem] = channel.check()
        with pytest.raises(MailUnavailable, match="from or reply_to has letters before the @"):
            channel.prepare(message()).send()

    assert "does not announce SMTPUTF8" in problem.what
    assert problem.severity == "error"
    assert sink.arrived == []


@pytest.mark.parametrize("own", [{"from": "Acme <größe@acme.example>"}, {"reply_to": "größe@acme.example"}])
def test_our_own_address_outside_ascii_goes_where_smtputf8_is_announced(make, own):
    sink = Sink()
    with smtp_server(sink, enable_SMTPUTF8=True) as port:
        channel = make(port, **own)
        assert list(channel.check()) == []
        channel.prepare(message()).send()

    assert "größe@acme.example".encode() in sink.arrived[0].content


def test_a_sender_at_a_domain_outside_ascii_needs_no_smtputf8(make):
    server = Broken(dict(SCRIPT))
    with broken_server(server) as port:
        channel = make(port, **{"from": "Acme <care@bücher.example>"})
        assert list(channel.check()) == []
        channel.prepare(message()).send()

    assert server.dots == 1


def test_a_reply_to_that_is_no_address_is_told_by_the_check(make):
    with broken_server(Broken(dict(SCRIPT))) as port:
        [problem] = make(port, reply_to="care@acme..example").check()

    assert "is not an e-mail address" in problem.what
