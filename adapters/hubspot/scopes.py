"""Which scopes a key lacks for what is to be done with it."""

from collections.abc import Mapping
from typing import Final

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import TOKEN_INFO, objects
from adapters.hubspot.schemas import ACTIVITIES
from connector.errors import CrmError, NotLetIn, NotPermitted
from connector.model import MissingRight
from connector.ports import Needs

_NOBODY: Final = "0"
"""An id that no record has."""
_HOW: Final = "Settings > Integrations > Service Keys > (the key) > Scopes"


class Scopes:
    """Asks what a key may do. HubSpot has no right to update that is not one to create."""

    def __init__(self, client: HubSpotClient, token: str) -> None:
        self._client = client
        self._token = token

    def missing_rights(self, needs: Needs) -> list[MissingRight]:
        """Return the scopes that the key does not have. Where HubSpot does not tell which it has, those to write are tried out;
        those to read are proven by reading."""
        wanted = {name: scopes_for(name, change=bool(rights - {"read"})) for name, rights in needs.items()}
        granted = self._granted()
        if granted is None:
            lacking = [wanted[name][0] for name, rights in needs.items() if rights - {"read"} and not self._may(name)]
        else:
            lacking = [scopes[0] for scopes in wanted.values() if granted.isdisjoint(scopes)]
        remedy = f"Add it to the service key: {_HOW}."
        return [MissingRight(f"the scope {scope}", remedy) for scope in dict.fromkeys(lacking)]

    def _may(self, object_name: str) -> bool:
        """Tell whether records of an object may be written, by changing nothing on a record that does not exist.

        Scopes are looked at first: any other answer than their refusal proves them.
        """
        body = {"inputs": [{"id": _NOBODY, "properties": {}}]}
        try:
            self._client.change("POST", objects(object_name, "batch", "update"), body, call=f"rights to {object_name}")
        except NotPermitted:
            return False
        except CrmError as error:
            if not error.permanent:
                raise
        return True

    def _granted(self) -> frozenset[str] | None:
        """Return what the key was granted. The one call that holds the key in its body, to the host that each call shows it to.

        A refusal says nothing against the key: the address is for private apps, and has no dated version. An installed app has no key.
        """
        if not self._token:
            return None
        try:
            answer = self._client.ask(TOKEN_INFO, {"tokenKey": self._token}, call="scopes of the key")
        except CrmError as error:
            if not error.permanent and not isinstance(error, NotLetIn):
                raise
            return None
        scopes = answer.data.get("scopes") if isinstance(answer.data, Mapping) else None
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None


def scopes_for(object_name: str, *, change: bool) -> tuple[str, ...]:
    """Return the scopes of which one is enough to read or change an object; activities go by that of contacts."""
    base = "contacts" if object_name in ACTIVITIES else object_name
    scope = f"crm.objects.{base}.{'write' if change else 'read'}"
    return (scope, "tickets") if object_name == "tickets" else (scope,)
