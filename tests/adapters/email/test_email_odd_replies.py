"""A mail server that says more than it was asked, at the wrong time, or nothing at all."""

import threading
from dataclasses import replace

import pytest
from mail_servers import SCRIPT, Broken, broken_server, message

from adapters.email.refusal_codes import Reply
from adapters.email.remedies import remedy_for
from adapters.email.server_ids import server_id
from adapters.email.timeouts import PATIENT
from connector.errors import MailInDoubt, MailUnavailable


@pytest.mark.parametrize(
    "script",
    [
        {"DATA": b"354 go\r\n250 queued as 4XABC12\r\n"},
        {"MAIL": b"250 OK\r\n550 5.1.1 no such user\r\n"},
        {"RCPT": b"250 OK\r\n354 go\r\n"},
        {"EHLO": b"250 test\r\n250 OK\r\n", "MAIL": b"550 no\r\n"},
    ],
)
def test_what_was_said_before_the_question_is_no_answer_to_it(make, script):
    """Neither is the message taken for sent, nor the recipient for unknown."""
    server = Broken(SCRIPT | script)
    with broken_server(server) as port:
        channel = make(port)
        with pytest.raises(MailUnavailable, match="out of turn"):
            channel.prepare(message()).send()
        server.script = dict(SCRIPT)
        channel.prepare(message()).send()

    assert server.dots == 1


@pytest.mark.parametrize("said", [b"250-queued as 4XABC12\r\n550 5.1.1 no such user\r\n", b"550-no\r\n250 taken\r\n"])
def test_a_final_answer_that_contradicts_itself_leaves_the_message_in_doubt(make, said):
    """It is neither sent a second time nor taken for sent, and nobody is marked."""
    with (
        broken_server(Broken(SCRIPT | {".": said})) as port,
        pytest.raises(MailInDoubt, match=r"the lines of one answer contradict each other: (250, 550|550, 250)"),
    ):
        make(port).prepare(message()).send()


def test_a_refusal_that_contradicts_itself_says_nothing_of_the_mailbox(make):
    script = SCRIPT | {"RCPT": b"250-OK\r\n550 5.1.1 no such user\r\n"}
    with broken_server(Broken(script)) as port, pytest.raises(MailUnavailable, match="contradict"):
        make(port).prepare(message()).send()


def test_lines_of_an_answer_with_codes_of_one_kind_are_one_answer(make):
    server = Broken(SCRIPT | {"RCPT": b"251-will forward\r\n250 OK\r\n"})
    with broken_server(server) as port:
        make(port).prepare(message()).send()
    assert server.dots == 1


def test_a_server_that_does_not_say_goodbye_keeps_nobody(make):
    server = Broken(SCRIPT | {"QUIT": b""})
    with broken_server(server) as port:
        channel = make(port)
        channel.timeouts = replace(PATIENT, goodbye=0.1)
        channel.prepare(message()).send()
        leaving = threading.Thread(target=channel.close, daemon=True)
        leaving.start()
        leaving.join(20)
        assert not leaving.is_alive()


@pytest.mark.parametrize(
    "said", [f"250 queued as {'4X7' * 500}", "250 queued as 4X\x007ABC", "250 queued as 4X\ud8007ABC"]
)
def test_an_id_that_no_database_keeps_is_none_or_made_whole(said):
    known = server_id(said)
    assert known in {None, "4X7ABC"}


def test_words_without_end_are_read_in_part():
    reply = Reply(550, "sender " * 9000 + "queued as 4X7ABC")
    assert len(reply.text) < 5000
    assert server_id(reply.every_word) == "4X7ABC"
    assert remedy_for(reply.text, otherwise="none") == "none"


def test_no_piece_of_a_secret_stands_where_words_without_end_are_told():
    token = "ya29." + "x7Q" * 700
    reply = str(Reply(535, f"5.7.8 {token} {token} refused", secrets=(token,)))
    assert reply == "535 5.7.8 … … refused"
