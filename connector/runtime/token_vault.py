"""The encrypted store of tokens that a CRM has renewed, for all processes of the installation.

A refresh token that is exchanged may end there and then, so only the newest is good: it is on the disk before anything is done
with what came with it, and one process at a time exchanges it.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.errors import CrmError, Unavailable
from connector.ports import Clock
from connector.store import Store
from connector.store.db.migrate import migrate
from connector.store.ops import call_counts, leases
from connector.store.ops import tokens as stored_tokens
from connector.store.ops.leases import Lease

PATIENCE_SECONDS: Final = 60.0
"""How long to wait for another process that is renewing the token."""
_LOOK_SECONDS: Final = 0.1
_PURPOSE: Final = b"afterword.vault"


class Vault:
    """The tokens of one connection; see `connector.ports.TokenVault`."""

    def __init__(self, crm: str, *, refresh_token: str, keys: Sequence[str], store: Store, clock: Clock) -> None:
        """`refresh_token` is the one in config.toml; `keys` are the secrets of [web], the newest first."""
        self._crm = crm
        self._configured = refresh_token
        boxes = [Fernet(_derived(key)) for key in keys]
        self._newest = boxes[0]
        self._box = MultiFernet(boxes)
        self._store = store
        self._clock = clock

    @contextmanager
    def alone(self) -> Iterator[None]:
        """See the port."""
        if not call_counts.is_ready(self._store):
            migrate(self._store)
        # The CRM may take its time; meanwhile nobody else may exchange the same token.
        with leases.kept(self._store, self._wait_for_lease()):
            yield

    def load(self) -> Mapping[str, str]:
        """See the port. What was encrypted with an older secret is encrypted with the newest, so that the old one can go.

        `CrmError`: the secret that it was encrypted with is not in config.toml any more.
        """
        with self._store.write() as tx:
            sealed = stored_tokens.load(tx, self._crm, self._configured)
        if sealed is None:
            return {}
        try:
            tokens: Mapping[str, str] = json.loads(self._box.decrypt(sealed))
        except InvalidToken:
            raise CrmError(
                "the renewed token cannot be read: the secret that it was encrypted with is gone.",
                where=f"{self._crm}: sign in",
                remedy="Put the earlier line back below the present one in web.secret, or let the CRM give a new refresh_token.",
            ) from None
        if not self._is_newest(sealed):
            self.save(tokens)
        return tokens

    def save(self, tokens: Mapping[str, str]) -> None:
        """See the port. A database that is away for a moment is waited for: the CRM may have ended the token before these already."""
        sealed = self._box.encrypt(json.dumps(dict(tokens)).encode()).decode()
        row = stored_tokens.Sealed(self._crm, sealed, given=self._configured, at=self._clock.now())
        stored_tokens.save(self._store, row, patience=PATIENCE_SECONDS)

    def _is_newest(self, sealed: str) -> bool:
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _wait_for_lease(self) -> Lease:
        # On the machine's own time, as leases are: somebody is at work, and will be done in a moment.
        ends = time.monotonic() + PATIENCE_SECONDS
        while (lease := leases.acquire(self._store, f"token:{self._crm}")) is None:
            if time.monotonic() > ends:
                what = "another process has been renewing the token for too long."
                raise Unavailable(what, where=f"{self._crm}: sign in", not_sent=True)
            time.sleep(_LOOK_SECONDS)
        return lease


def _derived(secret: str) -> bytes:
    """Return a key made for this purpose alone: what signs links must not open tokens."""
    made = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(made)
