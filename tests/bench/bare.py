"""The bare HTTP loop: the same pages with requests and json, and nothing else. Prints one JSON object."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import requests


def fetch(wanted: dict[str, Any]) -> dict[str, Any]:
    """Fetch every page of the given listings."""
    records = calls = 0
    began = time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False  # else a certificate bundle named by the environment would come first
        session.verify = wanted["ca_bundle"]
        session.headers["Authorization"] = f"Bearer {wanted['token']}"
        session.headers["Sforce-Query-Options"] = "batchSize=2000"
        for first in wanted["paths"]:
            path: str | None = first
            while path:
                page = json.loads(session.get(wanted["url"] + path, timeout=60).content)
                records += len(page["records"])
                calls += 1
                path = page.get("nextRecordsUrl")
    return {"records": records, "calls": calls, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(fetch(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
