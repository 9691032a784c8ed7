"""Mail domains: which belong to anybody, and which are those of a company by its users."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from connector.model import normalized_address

_SHARED_BY: Final = 2
"""So many users must have addresses at a domain for it to be taken as the company's, where there are more than a few of them."""


def domain_of(address: str) -> str:
    """Return what stands after the @, in its one spelling: small letters and ASCII."""
    return normalized_address(address).rpartition("@")[2]


def is_free_mail(domain: str) -> bool:
    """Whether it is a large provider's, where anybody can have an address. The list only keeps guesses from going wrong."""
    return domain.lower() in _free_mail()


@cache
def _free_mail() -> frozenset[str]:
    return frozenset(files("connector.domain").joinpath("free_mail.txt").read_text(encoding="ascii").split())


def company_domains(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the domains that are the company's own, going by the addresses of its CRM users.

    One that several users share is; of a single user's only where there is no other. Somebody from outside who has a CRM user, such as
    a consultant, does not make their firm ours, and nobody's free mail does.
    """
    domains = (domain_of(address) for address in addresses if "@" in address)
    counts = Counter(domain for domain in domains if domain and not is_free_mail(domain))
    shared = [domain for domain, users in counts.items() if users >= _SHARED_BY]
    return tuple(sorted(shared or (counts if len(counts) == 1 else ())))
