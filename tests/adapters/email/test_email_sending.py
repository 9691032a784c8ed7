"""Sending through a real mail server."""

from email import message_from_bytes
from email.policy import default

import pytest
from mail_servers import SCRIPT, Broken, Sink, broken_server, message, smtp_server

from connector.errors import MailboxRefused, MailInDoubt, MailUnavailable


def arrived(sink):
    return message_from_bytes(sink.arrived[-1].content, policy=default)


def test_a_message_arrives_whole(make):
    sink = Sink()
    with smtp_server(sink) as port:
        make(port, reply_to="hello@acme.example").prepare(message()).send()

    mail = arrived(sink)
    assert sink.arrived[0].rcpt_tos == ["maria@customer.example"]
    assert sink.arrived[0].mail_from == "care@acme.example"
    assert mail["From"] == "Acme Care <care@acme.example>"
    assert mail["To"] == "Maria Virtanen <maria@customer.example>"
    assert mail["Reply-To"] == "Acme Care <hello@acme.example>"
    assert mail["Subject"] == "How did it go? (case 00123)"
    assert mail["Message-ID"] == "<m1@acme.example>"
    assert mail["Date"].datetime.isoformat() == "2026-11-22T09:30:00+00:00"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "fi"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_both_parts_arrive_letter_by_letter(make):
    sink = Sink()
    with smtp_server(sink) as port:
        make(port).prepare(message()).send()

    mail = arrived(sink)
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == "Hello,\n.a line with a dot first\n..and two\nä ö 中文\n"
    assert html.get_content().replace("\r\n", "\n") == "<p>Hello</p>\n"


def test_lines_end_in_crlf_and_none_is_too_long(make):
    sink = Sink()
    with smtp_server(sink) as port:
        make(port).prepare(
            message(html="<p>" + "long " * 3000 + "</p>", text="one\ntwo\r\nthree\rfour" + "x" * 5000)
        ).send()

    raw = sink.arrived[0].content
    lines = raw.split(b"\r\n")
    assert not [line for line in lines if b"\n" in line or b"\r" in line]
    assert max(len(line) for line in lines) <= 998


def test_names_in_any_script_and_with_anything_in_them(make):
    sink = Sink()
    with smtp_server(sink) as port:
        channel = make(port)
        for name in ("王小明", 'Åsa "Boss", Öberg', "evil\r\nBcc: else@x.example", ""):
            channel.prepare(message(to_name=name, subject="你好 – Größe")).send()

    got = [message_from_bytes(one.content, policy=default) for one in sink.arrived]
    assert [mail["To"].addresses[0].display_name for mail in got] == [
        "王小明",
        'Åsa "Boss", Öberg',
        "evil Bcc: else@x.example",
        "",
    ]
    assert {mail["Bcc"] for mail in got} == {None}
    assert {mail["Subject"] for mail in got} == {"你好 – Größe"}


def test_one_connection_serves_several_messages(make):
    sink = Sink()
    with smtp_server(sink) as port:
        channel = make(port)
        for number in range(3):
            channel.prepare(message(message_id=f"m{number}@acme.example")).send()

    assert len(sink.arrived) == 3
    assert len({session.peer for session in sink.sessions}) == 1


def test_a_connection_that_the_server_has_closed_meanwhile_is_replaced(make):
    sink = Sink()
    with smtp_server(sink) as port:
        channel = make(port)
        channel.prepare(message()).send()
        channel._open.sock.close()
        channel.prepare(message(message_id="m2@acme.example")).send()

    assert len(sink.arrived) == 2


def test_starttls_trusts_only_the_given_bundle(make, authority):
    sink = Sink()
    with smtp_server(sink, tls_context=authority.context(), require_starttls=True) as port:
        make(port, security="starttls", ca_bundle=authority.path).prepare(message()).send()
        with pytest.raises(MailUnavailable, match="certificate"):
            make(port, security="starttls").prepare(message()).send()

    assert len(sink.arrived) == 1
    assert sink.sessions[0].ssl is not None


@pytest.mark.parametrize("hangs_up", [False, True])
def test_tls_from_the_first_byte(make, authority, hangs_up):
    server = Broken(SCRIPT | {".": None} if hangs_up else dict(SCRIPT))
    with broken_server(server, authority.context()) as port:
        channel = make(port, security="tls", ca_bundle=authority.path)
        if hangs_up:
            with pytest.raises(MailInDoubt):
                channel.prepare(message()).send()
        else:
            channel.prepare(message()).send()

    assert server.dots == 1


def test_a_server_without_tls_gets_nothing_when_tls_is_asked_for(make):
    sink = Sink()
    with smtp_server(sink) as port, pytest.raises(MailUnavailable, match="STARTTLS"):
        make(port, security="starttls").prepare(message()).send()

    assert sink.arrived == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_signing_in_with_a_password(make):
    sink = Sink()
    with smtp_server(sink, authenticator=sink.authenticate, auth_require_tls=False, auth_required=True) as port:
        make(port, username="care", password="right").prepare(message()).send()
        with pytest.raises(MailUnavailable) as wrong:
            make(port, username="care", password="wrong-password").prepare(message()).send()

    assert len(sink.arrived) == 1
    assert "email.password" in wrong.value.remedy
    assert "wrong-password" not in str(wrong.value)


def test_check_finds_nothing_wrong_and_sends_nothing(make):
    sink = Sink()
    with smtp_server(sink) as port:
        assert list(make(port).check()) == []

    assert sink.arrived == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_check_names_what_is_wrong_and_what_to_do(make, authority):
    sink = Sink()
    with smtp_server(sink, authenticator=sink.authenticate, auth_require_tls=False, auth_required=True) as port:
        [login] = make(port, username="care", password="wrong").check()
        [tls] = make(port, security="starttls").check()
        [sender] = make(port).check()
    [gone] = make(port).check()

    assert "refused the login of care" in login.what
    assert "STARTTLS" in tls.what
    assert "refused MAIL" in sender.what
    assert "could not be used" in gone.what
    assert all(one.remedy and one.where.startswith("config.toml: email") for one in (login, tls, sender, gone))


def test_check_names_the_security_that_the_port_speaks(make):
    with smtp_server(Sink()) as port:
        [plain] = make(port, security="tls").check()
    [tls] = make(465, security="starttls").check()  # nobody listens there; where somebody does, they wait for TLS

    assert 'email.security = "starttls"' in plain.remedy
    assert 'email.security = "tls"' in tls.remedy


@pytest.mark.parametrize(
    "address", ["", "maria", "maria@", "a b@x.example", "a@x.example\r\nRCPT TO:<b@x.example>", "<a@x>"]
)
def test_what_is_no_address_is_refused_before_the_server_sees_it(make, address):
    sink = Sink()
    with smtp_server(sink) as port, pytest.raises(MailboxRefused):
        make(port).prepare(message(to=address)).send()


def test_a_domain_in_another_script_is_written_in_ascii(make):
    sink = Sink()
    with smtp_server(sink) as port:
        make(port).prepare(message(to="maria@bücher.example")).send()

    assert sink.arrived[0].rcpt_tos == ["maria@xn--bcher-kva.example"]


@pytest.mark.parametrize("address", ["maria..v@customer.example", "o'hara+x@customer.example", "a" * 64 + "@x.example"])
def test_unusual_addresses_that_exist_are_written_to(make, address):
    sink = Sink()
    with smtp_server(sink) as port:
        make(port).prepare(message(to=address)).send()

    assert sink.arrived[0].rcpt_tos == [address]


def test_broken_letters_do_not_keep_a_message_from_going_out(make):
    sink = Sink()
    with smtp_server(sink) as port:
        make(port).prepare(message(subject="a\ud800b", text="c\udfffd", to_name="e\ud800f")).send()

    assert arrived(sink)["Subject"] == "ab"
