"""The project that the demo runs on: written like anybody's, by `config.toml`, a mapping for each CRM and the keys."""

import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from adapters.sandbox.workplaces.crm import Crm
from connector.app.adapter_packages import installed_adapters
from connector.errors import Problem, SettingsError
from connector.runtime.private_files import make_folder, write_new

MARK: Final = "# Written by `afterword demo`, which writes it anew each time.\n"
_LINK: Final = re.compile(r"^# (?=link = )", re.MULTILINE)
"""The line of a packaged mapping that says what links its accounts to those of other CRMs, if it is wanted."""

_CONFIG: Final = Template(
    MARK
    + """
[store]
url = "sqlite:///afterword.db"

[web]
listen = "127.0.0.1:$web_port"
public_url = "http://localhost:$web_port"
secret_file = "secret.key"

[company]
name = "Northwind"
timezone = "Europe/Helsinki"
working_hours = "mon-fri 08:00-17:00"      # a follow-up is due in these, and our own people get mail in these

[email]                                    # a mail server of the demo's own, which keeps what arrives
host = "127.0.0.1"
port = $mail_port
security = "none"
from = "Northwind Care <care@northwind.example>"
reply_to = "care@northwind.example"

$connections
[limits]                                   # shorter than in real life, so that something happens in three weeks
quiet_period = "160h"                      # a little under a week: never the whole number of days that lie between two laps
account_cap = "6 per 30d"
internal_domains = ["northwind.example"]

[surveys.after-case]
on = "case.closed"
metric = "csat"
delay = "3h"
expires = "115h"
reminder_after = "45h"

[surveys.after-call]
on = "call.held"
metric = "ces"
delay = "2h"
expires = "115h"
reminder_after = "45h"

[surveys.after-meeting]
on = "meeting.held"
metric = "csat"
delay = "2h"
expires = "115h"
reminder_after = "45h"

[surveys.won-deal]
on = "deal.won"
metric = "nps"
delay = "4h"
expires = "139h"
reminder_after = "45h"

[follow_up.low]
when = "low"
due = "24h"
priority = "high"
assign = ["account_owner"]
notify = ["account_owner"]

[follow_up.silent]
when = "silence >= 2"
due = "3d"
priority = "low"
assign = ["account_owner"]

[follow_up.mood]
when = "mood = unhappy"
due = "48h"
priority = "high"
assign = ["account_owner"]

[schedule]
sync = "2s"
"""
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is."""

    web_port: int
    mail_port: int
    crms: Sequence[tuple[Crm, str]]
    """The CRMs, each with the address of its API."""


def make_room(folder: Path) -> None:
    """Empty the demo's folder. Raises SettingsError for one that holds something else: that is nobody's to delete."""
    config = folder / "config.toml"
    if not folder.exists() or not any(folder.iterdir()):
        make_folder(folder)
        return
    if not config.is_file() or not config.read_text(encoding="utf-8").startswith(MARK):
        problem = Problem(str(folder), "holds something that the demo did not write.", "Name another folder.")
        raise SettingsError([problem])
    shutil.rmtree(folder / "mappings", ignore_errors=True)
    for path in [*folder.glob("afterword.db*"), config, folder / "secret.key", *folder.glob("*-secret.txt")]:
        path.unlink(missing_ok=True)


def write(folder: Path, where: Addresses) -> Path:
    """Write the project, and return the path of its config.toml."""
    config = folder / "config.toml"
    tables = "\n".join(_connection(crm, url) for crm, url in where.crms)
    write_new(config, _CONFIG.substitute(connections=tables, web_port=where.web_port, mail_port=where.mail_port))
    write_new(folder / "secret.key", f"{secrets.token_urlsafe(48)}\n")
    for crm, _ in where.crms:
        write_new(folder / _secret_file(crm), f"{crm.secret()[1]}\n")
        linking = _LINK.sub("", installed_adapters()[crm.name].default_mapping.read())
        write_new(folder / "mappings" / f"{crm.name}.toml", linking)
    return config


def _connection(crm: Crm, url: str) -> str:
    """Return a connection's table."""
    values = {"adapter": crm.name, "mode": "live", "url": url, **crm.sign_in()}
    values |= {f"{crm.secret()[0]}_file": _secret_file(crm)}
    values |= {"ca_bundle": "ca.pem", "mapping": f"mappings/{crm.name}.toml"}
    return "\n".join([f"[crm.{crm.name}]", *(f'{key} = "{value}"' for key, value in values.items()), ""])


def _secret_file(crm: Crm) -> str:
    return f"{crm.name}-secret.txt"
