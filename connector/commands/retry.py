"""What was refused, tried again: the reason may lie in the org's set-up, of which a record tells nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector.commands.status import paused
from connector.errors import AfterwordError
from connector.stages import lap
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.stages.order import Stage
from connector.store.outbox import retries
from connector.store.views import overview


@dataclass(frozen=True, slots=True)
class Retried:
    """What trying again has come to."""

    crm: str
    tried: int
    """How many records that were set aside are tried again."""
    live: bool
    """Whether it was done at once; else the next lap that is live does it."""
    why_not: str = ""
    refused: Sequence[Mapping[str, object]] = ()
    """Those that were refused again, as `status` tells them."""
    failures: Sequence[AfterwordError] = field(default=())

    @property
    def exit_code(self) -> int:
        """0 all were taken, or will be tried; 1 some were refused again; 3 the CRM could not be reached."""
        return 3 if self.failures else int(bool(self.refused))

    def as_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "crm": self.crm,
            "tried": self.tried,
            "live": self.live,
            "refused": [dict(refusal) for refusal in self.refused],
            "failures": [str(error) for error in self.failures],
        }


def retry(installation: Installation, endpoint: Endpoint, keys: Sequence[str]) -> Retried:
    """Try records again that were refused, those of these keys or all: at once where the connection is live.

    `AfterwordError` names keys under which nothing was refused.
    """
    with installation.store.write() as tx:
        known = retries.keys(tx, endpoint.name)
        if unknown := [key for key in keys if key not in known]:
            what = f"nothing was refused under {', '.join(unknown)}."
            raise AfterwordError(
                what, where=endpoint.name, remedy="`afterword status` shows what was, each with its key."
            )
        chosen = set(keys) or known
        retries.again(tx, endpoint.name, chosen)
    if why_not := _why_not(installation, endpoint):
        return Retried(endpoint.name, len(chosen), live=False, why_not=why_not)
    if not chosen:
        return Retried(endpoint.name, 0, live=True)
    report = lap.run(replace(installation, endpoints=[endpoint]), stages=(Stage.WRITE_BACK,))
    with installation.store.read() as tx:
        refusals = overview.refused(tx, limit=None, crm=endpoint.name)
    left = [refusal for refusal in refusals if refusal["record"] in chosen]
    return Retried(endpoint.name, len(chosen), live=True, refused=left, failures=report.failures.get(endpoint.name, ()))


def _why_not(installation: Installation, endpoint: Endpoint) -> str:
    if not endpoint.mode_live:
        return "it only observes"
    held = paused(installation)
    return f"it is paused ({held[endpoint.name]})" if endpoint.name in held else ""
