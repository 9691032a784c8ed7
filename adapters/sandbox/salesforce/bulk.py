"""placeholder"""

from collections.abc import Sequence

from adapters.sandbox.salesforce.calls import Call
from adapters.sandbox.salesforce.errors import not_found
from adapters.sandbox.web import Response


def route(call: Call, kind: str, rest: Sequence[str]) -> Response:
    raise not_found()
