"""The bare HTTP loop: the same pages with requests and json, and nothing else. Prints one JSON object."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import requests


def fetch(wanted: dict[str, Any]) -> dict[str, Any]:
    """Make the calls that are asked for (method, path, body, whether it brings records), and those that the answers lead to."""
    records = calls = 0
    began = time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False  # else a certificate bundle named by the environment would come first
        session.verify = wanted["ca_bundle"]
        session.headers.update(wanted["headers"], Authorization=f"Bearer {wanted['token']}")
        for method, first, body, counts in wanted["asked"]:
            path: str | None = first
            while path:
                answer = session.request(method, wanted["url"] + path, data=body or None, timeout=60)
                answer.raise_for_status()
                page = json.loads(answer.content)
                records += len(page.get("records") or page.get("results") or ()) if counts else 0
                calls += 1
                path = page.get("nextRecordsUrl")
    return {"records": records, "calls": calls, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(fetch(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
