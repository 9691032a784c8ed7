"""The commands `opt-outs add` and `opt-outs lift`: for people who ask by mail or by telephone to be asked no more, or again."""

from collections.abc import Collection
from pathlib import Path

from connector.cli.installation import opened
from connector.cli.output.terminal import one_line, out
from connector.domain.config.wrong import Wrong
from connector.errors import Problem, SettingsError
from connector.model import OptOutWay
from connector.model.stored import StoredContact
from connector.settings import value_readers
from connector.store import Transaction
from connector.store.surveys import answers


def add(config: Path, address: str) -> None:
    """Ask somebody no more, in no survey. `SettingsError`: this is no address."""
    email = _read(address, "opt-outs add")
    with opened(config) as installation:
        now = installation.clock.now()
        contacts = installation.store.change(lambda tx: answers.stop_surveys_at(tx, email, now=now))
    names = _names(contacts)
    known = f": {names}." if names else ". No contact that was read has this address; look at its spelling."
    out.print(one_line(f"{email} is not asked any more{known}"), markup=False)


def lift(config: Path, address: str) -> None:
    """Let somebody be asked again. `SettingsError`: this is no address, or it may not be."""
    email = _read(address, "opt-outs lift")
    with opened(config) as installation:
        contacts = installation.store.change(lambda tx: _take_back(tx, email))
    names = _names(contacts)
    boxes = f" Clear No surveys, where it is ticked, on: {names}." if names else ""
    out.print(one_line(f"{email} may be asked again.{boxes}"), markup=False)


def _take_back(tx: Transaction, email: str) -> Collection[StoredContact]:
    by = answers.opted_out_by(tx, email)
    if by is None:
        remedy = f"`afterword why {email}` tells why somebody is not asked."
        raise SettingsError([Problem("opt-outs lift", f"{email} has not opted out.", remedy)])
    if by == OptOutWay.ERASED:
        what = f"the data about {email} were erased at their request."
        raise SettingsError([Problem("opt-outs lift", what, "Nobody of whom this is so is asked again.")])
    return answers.allow_surveys_at(tx, email)


def _read(address: str, where: str) -> str:
    try:
        return value_readers.address(address)
    except Wrong as error:
        raise SettingsError([Problem(where, f"{address!r} {error.what}", error.remedy)]) from None


def _names(contacts: Collection[StoredContact]) -> str:
    return ", ".join(f"{contact.name} ({contact.ref.connection})" for contact in contacts)
