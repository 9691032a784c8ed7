"""An installation of Afterword in a folder, at a pretend org; every step is a process of its own."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measure import Measured, measured
from tests.bench.org import Org

MOST_PER_PAGE = 2_000
_CONFIG = """\
[crm.acme]
adapter = "salesforce"
mode = "{mode}"
url = "{url}"
auth = "client_credentials"
client_id = "{client_id}"
client_secret = "{client_secret}"
ca_bundle = "{ca_bundle}"
daily_call_share = 1.0

[surveys.after-case]
on = "case.closed"
metric = "csat"
delay = "0s"

[follow_up.unhappy]
when = "csat <= 2"
due = "24h"

[web]
listen = "127.0.0.1:{web_port}"
public_url = "http://localhost:{web_port}"
secret = "only-a-benchmark-knows-this-secret-0123456789"

[email]
host = "127.0.0.1"
port = {mail_port}
security = "none"
from = "Acme Care <care@acme.example>"

[schedule]
sync = "1h"
"""


@dataclass(frozen=True)
class Lap:
    """One lap: what it told and took, and the calls as the org saw them."""

    process: Measured
    log: list[dict[str, Any]]

    @property
    def report(self) -> dict[str, Any]:
        """What `sync --json` printed."""
        found: dict[str, Any] = self.process.printed
        return found

    @property
    def seconds(self) -> float:
        """How long the lap took, without the start of Python."""
        return float(self.report["took_s"])

    @property
    def records(self) -> int:
        """How many records were read."""
        return sum(kind["read"] for kind in self.report["crm"]["acme"]["pulled"].values())

    @property
    def kinds(self) -> int:
        """How many objects of the CRM were looked at."""
        return len({call["sobject"] for call in self.log if is_listing(call)})

    @property
    def reads(self) -> int:
        """How many calls asked for records."""
        return sum(1 for call in self.log if is_reading(call))

    @property
    def least(self) -> int:
        """With how few calls they could have been had: one for each 2,000 of an object, and one for an object without any."""
        rows: dict[str, int] = {}
        for call in self.log:
            if is_reading(call):
                rows[call["sobject"]] = rows.get(call["sobject"], 0) + call["rows"]
        return sum(max(1, math.ceil(count / MOST_PER_PAGE)) for count in rows.values())

    @property
    def writes(self) -> int:
        """How many calls changed something."""
        return sum(1 for call in self.log if call["kind"] == "write")


@dataclass(frozen=True)
class Installation:
    """Where it lies, and the CRM that it is connected to."""

    config: Path
    org: Org

    def command(self, *words: str) -> None:
        """Run a command of Afterword."""
        subprocess.run(
            [*afterword(words[0]), "-c", str(self.config), *words[1:]], check=True, stdout=subprocess.DEVNULL
        )

    def set_up(self) -> None:
        """Make our fields in the CRM."""
        token = self.config.with_name("admin.token")
        token.write_text(self.org.admin_token, encoding="utf-8")
        self.command("setup-crm", "--admin-token-file", str(token))

    def lap(self) -> Lap:
        """Run `afterword sync`."""
        mark = self.org.mark()
        done = measured([*afterword("sync"), "-c", str(self.config), "--json"])
        return Lap(done, self.org.calls(mark))

    def bare(self, lap: Lap) -> Measured:
        """Fetch the pages of a lap again, with nothing but requests and json."""
        plan = self.config.with_name("pages.json")
        paths = [call["path"] for call in lap.log if is_listing(call)]
        told = {"url": self.org.url, "ca_bundle": self.org.ca_bundle, "token": self.org.access_token, "paths": paths}
        plan.write_text(json.dumps(told), encoding="utf-8")
        return measured([sys.executable, "-m", "tests.bench.bare", str(plan)])


def install(folder: Path, org: Org, *, mode: str = "live", web_port: int = 8080, mail_port: int = 25) -> Installation:
    """Write a config.toml."""
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text(
        _CONFIG.format(
            mode=mode,
            url=org.url,
            client_id=org.client_id,
            client_secret=org.client_secret,
            ca_bundle=org.ca_bundle,
            web_port=web_port,
            mail_port=mail_port,
        ),
        encoding="utf-8",
    )
    return Installation(config, org)


def afterword(command: str) -> list[str]:
    """Return the command line of a command."""
    return [sys.executable, "-m", "connector.cli", command]


def is_reading(call: dict[str, Any]) -> bool:
    """Tell if a call asks for records, and not for a description."""
    return call["kind"] == "read" and "/query" in call["path"]


def is_listing(call: dict[str, Any]) -> bool:
    """Tell if a call begins a listing of changes."""
    return is_reading(call) and "/queryAll?" in call["path"] and "ORDER" in call["path"].upper()
