"""What a report says that a mail provider, or whoever reads the bounce mailbox, sends about a message."""

import pytest

from adapters.email.refused_party import cause_of_bounce
from connector.model import BounceCause

US = "care@acme.example"
COMPLAINTS = [
    "complaint",
    "Complaint: abuse",
    "complained",
    "spamreport",
    "SpamComplaint",
    "spam complaint",
    "dropped: Spam Reporting Address",
    "abuse",
    "unsubscribe",
    "Unsubscribed Address",
]
NO_FAILURE = [
    "deferred",
    "deferral",
    "AutoResponder",
    "Auto-Reply: out of office",
    "vacation",
    "450 4.2.0 Greylisted",
    "smtp; 421 4.7.0 Messages temporarily deferred due to user complaints",
    "Soft bounce",
    "Transient",
]
GIVEN_UP = [
    "smtp; 550 4.4.7 QUEUE.Expired; message expired",
    "smtp; 550 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.2 Connection dropped>",
    "4.4.7 delivery time expired",
    "retry timeout exceeded",
    "4.4.1 connection timed out; giving up",
]


@pytest.mark.parametrize(
    ("words", "cause"),
    [(words, BounceCause.COMPLAINT) for words in COMPLAINTS]
    + [(words, BounceCause.PASSING) for words in NO_FAILURE]
    + [(words, BounceCause.OTHER) for words in GIVEN_UP]
    + [
        ("550 5.7.1 blocked because of abuse, see https://postmaster.example/complaint", BounceCause.OTHER),
        ("550 5.1.1 no such user, contact abuse@customer.example", BounceCause.MAILBOX),
        ("hard bounce", BounceCause.UNCLEAR),
        ("", BounceCause.UNCLEAR),
    ],
)
def test_a_report_is_read_for_what_it_says(words: str, cause: BounceCause) -> None:
    assert cause_of_bounce(words, sender=US) is cause
