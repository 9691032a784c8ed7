"""Setting up a pretend CRM as `Environment.set_up` does, the second time in a process by the calls that the first one made."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adapters.sandbox.web import Request, Response
from connector.ports import SetupResult
from connector.store.ops import setup_log

if TYPE_CHECKING:
    from env import Environment


@dataclass(frozen=True, slots=True)
class FirstTime:
    """The changes that were made in the CRM with their answers, and what the installation remembers of them."""

    changes: Sequence[tuple[Request, Response]]
    results: Sequence[SetupResult]

    def again(self, env: "Environment") -> None:
        """Do it again, without asking first what is missing: nothing is there in a new CRM."""
        for request, answer in self.changes:
            headers = {**request.headers, "authorization": f"Bearer {admin_token(env)}"}
            same = env.org.handle(replace(request, headers=headers))
            assert (same.status, _id(same)) == (answer.status, _id(answer)), request.target  # later ones name it
        with env.installation.store.write() as tx:
            for result in self.results:
                setup_log.remember(tx, "acme", result.step, result.detail, at=env.clock.now())


_KNOWN: dict[str, FirstTime] = {}
"""By adapter."""


def settle(env: "Environment") -> None:
    """Make our fields in a new CRM."""
    known = _KNOWN.get(env.ADAPTER)
    if known is not None:
        known.again(env)
        return
    changes = list[tuple[Request, Response]]()
    real = env.org.handle
    env.org.handle = _noting(real, changes)  # type: ignore[method-assign]
    env.set_up()
    env.org.handle = real  # type: ignore[method-assign]
    with env.installation.store.read() as tx:
        _KNOWN[env.ADAPTER] = FirstTime(changes, setup_log.results(tx, "acme"))


def admin_token(env: "Environment") -> str:
    """Return what signs in who may make fields."""
    return str(getattr(env.org, "admin_token", env.org.access_token))


def _id(answer: Response) -> Any:
    found = json.loads(answer.body) if answer.body else []
    return [row.get("id") for row in (found if isinstance(found, list) else [found])]


def _noting(
    real: Callable[[Request], Response], changes: list[tuple[Request, Response]]
) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        answer = real(request)
        asks = request.method == "GET" or request.path.endswith(("/search", "/read", "/token"))
        if not asks:
            changes.append((request, answer))
        return answer

    return handle
