"""The `/sandbox/...` addresses by which another process drives a pretend CRM; no token is asked for."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.faults import Faults
from adapters.sandbox.log import CallLog
from adapters.sandbox.web import Request, Response, json_response


class Controlled(Protocol):
    """What a pretend CRM offers to be driven."""

    clock: SandboxClock
    faults: Faults
    log: CallLog

    @property
    def configure(self) -> Callable[..., None]:
        """Changes how the CRM behaves; takes the settings that it has, by name."""
        ...

    def get(self, object_name: str, record_id: str) -> dict[str, Any] | None:
        """A record."""
        ...

    def rows(self, object_name: str, *, deleted: bool = False, **equal: Any) -> list[dict[str, Any]]:
        """The records of an object."""
        ...

    def insert(
        self, object_name: str, values: dict[str, Any], *, at: datetime | None = None, by: str | None = None
    ) -> str:
        """Makes a record."""
        ...

    def update(
        self,
        object_name: str,
        record_id: str,
        values: dict[str, Any],
        *,
        at: datetime | None = None,
        by: str | None = None,
    ) -> None:
        """Changes a record."""
        ...

    def delete(self, object_name: str, record_id: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """Deletes a record."""
        ...

    def merge(
        self, object_name: str, winner: str, losers: list[str], *, at: datetime | None = None, by: str | None = None
    ) -> str | None:
        """Merges records; returns the id of what remains, where that can be a new one."""
        ...


_FAULTS = frozenset({"fail", "html", "drop", "slow", "truncate", "expire_token", "at_random", "refuse_row", "lock_row"})


class Control:
    """Answers the control addresses of one pretend CRM."""

    def __init__(self, crm: Controlled) -> None:
        self._crm = crm

    def handle(self, request: Request) -> Response:
        """Answers one control call; what it cannot do is 400 with the reason."""
        try:
            return json_response(self._do(request))
        except (LookupError, TypeError, ValueError) as error:
            return json_response({"error": f"{type(error).__name__}: {error}"}, 400)
        except Exception as error:  # a refusal of the CRM itself, told as it is
            if not hasattr(error, "code"):
                raise
            return json_response({"error": str(error), "code": error.code}, 409)

    def _do(self, request: Request) -> Any:
        body = json.loads(request.body) if request.body else {}
        match (request.method, *request.segments[1:]):
            case ("GET", "state"):
                return self._state()
            case ("GET", "log"):
                since = int(request.query.get("since", "0"))
                return [call.as_json() for call in self._crm.log.since(since)]
            case ("GET", "clock"):
                return {"now": self._crm.clock.now().isoformat()}
            case ("POST", "clock"):
                return self._move_clock(body)
            case ("POST", "settings"):
                self._crm.configure(**body)
                return {}
            case ("POST", "faults"):
                return self._set_fault(body)
            case ("DELETE", "faults"):
                self._crm.faults.clear()
                return {}
            case ("GET", "rows", name):
                return self._crm.rows(name, deleted="deleted" in request.query)
            case ("POST", "rows", name):
                return {"id": self._crm.insert(name, body.get("values", {}), **_by(body))}
            case ("GET", "rows", name, record_id):
                return self._crm.get(name, record_id)
            case (method, "rows", name, *rest):
                return self._change(method, name, rest, body)
        raise LookupError(f"no such control: {request.method} {request.path}")

    def _change(self, method: str, name: str, rest: list[str], body: dict[str, Any]) -> Any:
        match (method, *rest):
            case ("PATCH", record_id):
                self._crm.update(name, record_id, body.get("values", {}), **_by(body))
            case ("DELETE", record_id):
                self._crm.delete(name, record_id, **_by(body))
            case ("POST", record_id, "merge"):
                remaining = self._crm.merge(name, record_id, body["losers"], **_by(body))
                return {"id": remaining} if remaining else {}
            case _:
                raise LookupError(f"no such control: {method} rows/{name}")
        return {}

    def _state(self) -> dict[str, Any]:
        return {
            "now": self._crm.clock.now().isoformat(),
            "follows_real_time": self._crm.clock.follows_real_time,
            "calls": self._crm.log.by_kind(),
            "last_call": self._crm.log.mark(),
        }

    def _move_clock(self, body: dict[str, Any]) -> dict[str, str]:
        if "set" in body:
            self._crm.clock.set(datetime.fromisoformat(body["set"]))
        self._crm.clock.advance(timedelta(seconds=float(body.get("advance_s", 0))))
        return {"now": self._crm.clock.now().isoformat()}

    def _set_fault(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body.pop("fault", "")
        if name == "hide_commits":
            self._crm.faults.hide_commits(timedelta(seconds=float(body.pop("delay_s"))), **body)
            return {}
        if name not in _FAULTS:
            raise LookupError(f"no such fault: {name}; there are {', '.join(sorted(_FAULTS))}, hide_commits")
        setter: Callable[..., Any] = getattr(self._crm.faults, name)
        setter(**body)
        return {}


def _by(body: dict[str, Any]) -> dict[str, Any]:
    at = body.get("at")
    return {"by": body.get("by"), "at": datetime.fromisoformat(at) if at else None}
