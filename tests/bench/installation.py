"""An installation of Afterword in a folder, at a pretend CRM; every step is a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.crm import Crm
from tests.bench.measure import Measured, measured

_CONFIG = """\
[crm.acme]
{connection}mode = "{mode}"
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
    """One lap: what it told and took, and the calls as the CRM saw them."""

    crm: Crm
    process: Measured
    log: list[dict[str, Any]]
    stored: int
    """Bytes of the database when it had ended."""

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
    def waited(self) -> float | None:
        """How many seconds of waiting for the CRM's limits were skipped; None where nothing was skipped."""
        return self.report.get("waited_s")

    @property
    def reads(self) -> int:
        """How many calls asked for records."""
        return self.crm.reads(self.log)

    @property
    def least(self) -> int:
        """With how few calls they could have been had."""
        return self.crm.least(self.log)

    @property
    def writes(self) -> int:
        """How many calls changed something."""
        return sum(1 for call in self.log if call["kind"] == "write")


@dataclass(frozen=True)
class Installation:
    """Where it lies, and the CRM that it is connected to."""

    config: Path
    crm: Crm

    def command(self, *words: str) -> None:
        """Run a command of Afterword."""
        subprocess.run(
            [*afterword(words[0]), "-c", str(self.config), *words[1:]], check=True, stdout=subprocess.DEVNULL
        )

    def set_up(self) -> None:
        """Make our fields in the CRM."""
        token = self.config.with_name("admin.token")
        token.write_text(self.crm.admin_token, encoding="utf-8")
        self.command("setup-crm", "--admin-token-file", str(token))

    def lap(self, *, waiting: bool = False, counted: bool = False) -> Lap:
        """Run `afterword sync`; for a CRM whose limits make it wait on a clock that skips that, unless `waiting`.

        `counted`: what it does to the store is counted, which takes a little longer.
        """
        mark = self.crm.mark()
        if counted:
            done = measured([sys.executable, "-m", "tests.bench.counted", "-c", str(self.config)])
        elif self.crm.waits and not waiting:
            done = measured([sys.executable, "-m", "tests.bench.unhurried", str(self.config)])
        else:
            done = measured([*afterword("sync"), "-c", str(self.config), "--json"])
        return Lap(self.crm, done, self.crm.calls(mark), self._stored())

    def _stored(self) -> int:
        return sum(path.stat().st_size for path in self.config.parent.glob("afterword.db*"))

    def bare(self, lap: Lap) -> Measured:
        """Fetch the pages of a lap again, with nothing but requests and json."""
        plan = self.config.with_name("pages.json")
        reached = {"url": self.crm.url, "ca_bundle": self.crm.ca_bundle, "token": self.crm.access_token}
        plan.write_text(json.dumps(reached | self.crm.bare_plan(lap.log)), encoding="utf-8")
        return measured([sys.executable, "-m", "tests.bench.bare", str(plan)])


def install(folder: Path, crm: Crm, *, mode: str = "live", web_port: int = 8080, mail_port: int = 25) -> Installation:
    """Write a config.toml."""
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text(
        _CONFIG.format(
            connection=crm.connection, mode=mode, ca_bundle=crm.ca_bundle, web_port=web_port, mail_port=mail_port
        ),
        encoding="utf-8",
    )
    return Installation(config, crm)


def afterword(command: str) -> list[str]:
    """Return the command line of a command."""
    return [sys.executable, "-m", "connector.cli.app", command]
