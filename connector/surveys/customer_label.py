"""What a customer reads of that which they are asked about: in their language, and without the titles that we use among ourselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from connector.domain.text_cutting import cut
from connector.domain.text_direction import one_line
from connector.model import CUSTOMER_LABEL
from connector.surveys.wording import Wording

_LONGEST: Final = 100
"""Longer ones are cut: it stands in a subject and within sentences."""
_BY_SUBJECT: Final = frozenset({"case"})
"""Kinds that the customer has given their name: what they wrote to us about. Titles of the others are for our own people."""


def customer_label(
    kind: str, label: str, *, facts: Mapping[str, object], ended_at: datetime | None, words: Wording
) -> str:
    """Return what stands in mails and on the survey page.

    That is `customer_label` of the mapping, where it is filled; else a case's or ticket's subject; else the words for its kind
    ([label] of the language's file), with the day. Kinds without such words are called by the `label` that an admin has given them.
    """
    own = facts.get(CUSTOMER_LABEL)
    named = own if own is not None else facts.get("subject") if kind in _BY_SUBJECT else None
    text = one_line(str(named)) if named is not None else ""
    if text:
        return cut(text, _LONGEST)
    by_day = f"label.{kind}"
    if ended_at is not None and by_day in words.texts:
        return words.text(by_day, date=words.date(ended_at))
    return label
