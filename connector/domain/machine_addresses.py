"""Addresses that machines send from and nobody reads: a question to such an address reaches no customer.

CRMs make a contact of whatever has written to a shared inbox: shops, calendars, mail servers with what came back to them.
"""

import re
from typing import Final

_NO_REPLY: Final = (
    "no reply|do not reply|dont reply|never reply|keine antwort|nicht antworten|ne pas repondre|no responder|no contestar|"
    "nao responda|nao responder|non rispondere|niet beantwoorden|geen antwoord|nie odpowiadaj|ei vastausta|ala vastaa|"
    "svara inte|svara ej|ej svara|ikke svar|svar ikke"
)
"""As languages of Europe say it, without the marks on letters; a dot, a hyphen or nothing may stand between the words."""
_MACHINE: Final = re.compile(
    rf"(?<![a-z])({_NO_REPLY.replace(' ', '[._-]?')}|mailer[._-]?daemon)(?![a-z])|^postmaster$|^bounces?([+=_-].*)?$",
    re.IGNORECASE,
)


def is_machine(address: str) -> bool:
    """Whether nobody reads what is sent to an address, going by what stands before its @."""
    return _MACHINE.search(address.rpartition("@")[0]) is not None
