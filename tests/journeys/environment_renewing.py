"""The same installation beside a CRM whose refresh tokens are good once."""

from collections.abc import Iterator
from contextlib import contextmanager

from connected import connected
from environment import RULES, SECRET, Environment

from connector.app.adapter_packages import installed_adapters
from connector.ports import CrmAdapter, Query
from connector.runtime.token_vault import Vault

COMPANIES = {"salesforce": "Account", "hubspot": "companies"}


class Renewing:
    """A CRM whose app rotates its refresh tokens, and what an admin writes of it into config.toml."""

    def __init__(self, env: Environment, kind: str) -> None:
        self.env = env
        self.kind = kind
        oauth = env.org.oauth
        self.app = env.org.client
        self.app.rotates = True
        if kind == "salesforce":
            self.given = oauth.offer_refresh_token(env.org.integration_id, self.app)
        else:
            self.app.scopes |= {"crm.objects.owners.read", "crm.schemas.deals.read", "crm.objects.tasks.read"}
            self.given = oauth.offer_refresh_token(self.app)
        self.give(self.given)

    def give(self, refresh_token: str) -> None:
        """Write a refresh token into config.toml, and start again."""
        self.given = refresh_token
        self.env.configure(RULES, mode="observe")
        lines = self.env.config.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith(("auth =", "client_", "access_token"))]
        place = kept.index(f'adapter = "{self.kind}"') + 1
        kept[place:place] = [f"{key} = {value!r}" for key, value in self.values.items()]
        self.env.write_config("\n".join(kept))
        self.env.restart()

    @property
    def values(self) -> dict[str, str]:
        app = self.app
        names = {"client_id": app.client_id, "client_secret": app.client_secret, "refresh_token": self.given}
        return {"auth": "refresh_token", **names}

    @contextmanager
    def process(self) -> Iterator[CrmAdapter]:
        """An adapter as another process builds it."""
        env, package = self.env, installed_adapters()[self.kind]
        store = env.installation.store
        vault = Vault("acme", refresh_token=self.given, keys=(SECRET,), store=store, clock=env.clock)
        made = connected(package, "acme", {**self.values, **env.crm}, env.clock, vault=vault)
        yield made
        made.close()

    def ask(self, adapter: CrmAdapter) -> int:
        """Make a call that needs a token."""
        return adapter.count(Query(COMPANIES[self.kind], ()))

    @property
    def exchanges(self) -> int:
        """How many times a token was asked for."""
        return sum("/token" in call.path and call.status == 200 for call in self.env.org.log)
