"""A reply of a mail server has its size and its time as a whole."""

import time
import tracemalloc

import pytest
from mail_servers import SCRIPT, Broken, broken_server, message

from connector.errors import MailUnavailable


class Talker(Broken):
    """Never comes to the end of what it says to RCPT."""

    pause = 0.0
    line = b"250-" + b"x" * 500 + b"\r\n"

    def _answer(self, connection, lines, verb):
        if verb != "RCPT":
            return super()._answer(connection, lines, verb)
        for _ in range(200_000):
            connection.sendall(self.line)
            time.sleep(self.pause)
        return False


def test_s11_a_reply_without_end_is_left(make):
    tracemalloc.start()
    try:
        with broken_server(Talker(SCRIPT)) as port, pytest.raises(MailUnavailable, match="larger than 64 KB") as caught:
            make(port).prepare(message()).send()
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("line", [b"250-still here\r\n", b"x"])
def test_s11_a_reply_that_comes_drop_by_drop_has_its_time_as_a_whole(make, line):
    server = Talker(SCRIPT)
    server.pause, server.line = 0.05, line
    with broken_server(server) as port:
        channel = make(port)
        channel.timeouts = type(channel.timeouts)(command=0.6)
        with pytest.raises(MailUnavailable, match=r"took too long|timed out"):
            channel.prepare(message()).send()
