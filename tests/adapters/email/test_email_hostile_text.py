"""Names, subjects and labels that somebody has chosen to forge a mail of ours: what arrives is the mail that was meant."""

import re
from collections.abc import Callable

import pytest
from hostile import FORGED, TEXTS, decoded, head_of, is_ours, on_the_wire
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mail_servers import message

from connector.errors import MailboxRefused
from connector.ports.mail import Message

TO = "maria@customer.example"
LOCALS = TEXTS | st.text(st.characters(codec="utf-8"), max_size=4)
DOMAINS = TEXTS | st.sampled_from(["customer.example", "bücher.example", "..", "customer.example."])


def shown(text: str) -> str:
    """Return what may be shown of a text: on one line, without what nobody sees."""
    line = "".join(" " if char.isspace() else char for char in text)
    return " ".join(
        re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]", "", line).split()
    )


@settings(max_examples=150)
@given(name=TEXTS, subject=TEXTS)
@example(name=FORGED, subject=FORGED)
@example(name='"Boss" <a@evil.example>, ' * 6, subject="x" * 300)
@example(name="Maria " * 30, subject="How did it go? " * 12)
@example(name="王小明" * 40, subject="您对" * 60)
def test_whatever_a_name_or_subject_holds_it_arrives_as_that_text(
    post: Callable[[Message], bytes], name: str, subject: str
) -> None:
    content = post(message(to_name=name, subject=subject))
    is_ours(content, TO, more=["List-Unsubscribe-Post"])
    fields = dict(head_of(content))
    assert decoded(fields["Subject"]) == shown(subject)
    assert decoded(fields["To"]).strip('"').removesuffix(f"<{TO}>").rstrip(' "') == shown(name).strip('"').rstrip(' "')


@settings(max_examples=100)
@given(local=LOCALS, domain=DOMAINS)
@example(local="jörg", domain="straße.de")
@example(local=FORGED, domain="evil.example")
@example(local="a@b", domain="evil.example")
@example(local="maria", domain="evil.example\r\nBcc: e@evil.example")
@example(local="\u202emaria", domain="evil.example")
def test_an_address_is_one_address_or_refused(post: Callable[[Message], bytes], local: str, domain: str) -> None:
    mail = message(to=f"{local}@{domain}")
    try:
        content = post(mail)
    except MailboxRefused:
        return
    is_ours(content, on_the_wire(mail.to), more=["List-Unsubscribe-Post"])


def test_an_encoded_word_for_a_local_part_is_refused(post: Callable[[Message], bytes]) -> None:
    with pytest.raises(MailboxRefused, match="is not an e-mail address"):
        post(message(to="=?utf-8?q?A=0D=0A?=@evil.example"))
