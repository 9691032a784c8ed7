"""How the tests call the pretend HubSpot."""

import requests


class Hub(requests.Session):
    """A session that trusts the sandbox alone; paths are those below the address of the server."""

    def __init__(self, url: str, ca_bundle: str, token: str | None) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.verify = ca_bundle
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def api(self, method: str, path: str, **options: object) -> requests.Response:
        return self.request(method, f"{self.url}/{path}", timeout=300, **options)  # type: ignore[arg-type]

    def ok(self, method: str, path: str, **options: object) -> dict:  # type: ignore[type-arg]
        answer = self.api(method, path, **options)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else {}

    def objects(self, method: str, path: str, **options: object) -> requests.Response:
        return self.api(method, f"crm/objects/2026-03/{path}", **options)

    def found(self, kind: str, *filters: dict, **more: object) -> list[str]:  # type: ignore[type-arg]
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], "limit": 200, **more}
        answer = self.objects("POST", f"{kind}/search", json=body)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["results"]]


def where(name: str, operator: str, value: object = None, **more: object) -> dict:  # type: ignore[type-arg]
    """One filter of a search."""
    told = {"propertyName": name, "operator": operator, **more}
    return told if value is None else {**told, "value": value}
