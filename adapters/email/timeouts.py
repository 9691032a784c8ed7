"""How long to wait for a mail server at each step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait, by RFC 5321 §4.5.3.2. A server may take minutes over the final dot: it scans the message and passes it on.

    Whoever gives up before it has answered there leaves a message of which nobody knows whether it was sent.
    """

    connection: float = 20
    """For the network and TLS, of which the RFC says nothing."""
    greeting: float = 300
    command: float = 300
    """EHLO, STARTTLS, AUTH, MAIL and RCPT."""
    data: float = 120
    block: float = 180
    """For each part of the message that the server takes."""
    final_dot: float = 600
    goodbye: float = 5
    """For an answer to QUIT: nothing hangs on it, and whoever ends the program waits for it."""


PATIENT = Timeouts()
"""For mail that is sent."""
PROMPT = Timeouts(greeting=20, command=20, data=20, block=20, final_dot=20)
"""For a look at the server while somebody waits."""
